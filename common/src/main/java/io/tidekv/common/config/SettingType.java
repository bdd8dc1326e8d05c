package io.tidekv.common.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How values of one Java type are read and written. {@code read} takes a String (from the command
 * line, a default, or a TOML string) or a TOML Boolean, Long, Double or List, and throws
 * IllegalArgumentException whose message says what is expected.
 */
record SettingType(Function<Object, Object> read, Function<Object, String> toml) {

    static SettingType of(RecordComponent component) {
        Class<?> type = component.getType();
        if (type == String.class) {
            return new SettingType(value -> text(value, "a string"), SettingType::quote);
        } else if (type == boolean.class) {
            return new SettingType(SettingType::readBoolean, String::valueOf);
        } else if (type == int.class) {
            return new SettingType(SettingType::readInt, String::valueOf);
        } else if (type == long.class) {
            return new SettingType(SettingType::readLong, String::valueOf);
        } else if (type == double.class) {
            return new SettingType(SettingType::readDouble, String::valueOf);
        } else if (type == Duration.class) {
            return unit(
                    "a duration in quotes, such as \"400ms\"",
                    DurationText::parse,
                    value -> DurationText.format((Duration) value));
        } else if (type == DataSize.class) {
            return unit("a size in quotes, such as \"64MB\"", DataSize::parse, Object::toString);
        } else if (type == HostPort.class) {
            return unit("an address in quotes", HostPort::parse, Object::toString);
        } else if (type == Path.class) {
            return unit("a path in quotes", Path::of, Object::toString);
        } else if (type.isEnum()) {
            return ofEnum(type);
        } else if (type == List.class) {
            return new SettingType(SettingType::readList, SettingType::listToml);
        }
        throw new IllegalStateException("no settings of type " + type + " are known");
    }

    private static SettingType unit(
            String expected, Function<String, Object> parse, Function<Object, String> format) {
        return new SettingType(
                value -> parse.apply(text(value, expected)), value -> quote(format.apply(value)));
    }

    private static SettingType ofEnum(Class<?> type) {
        List<Object> constants = Arrays.asList(type.getEnumConstants());
        String expected =
                constants.stream()
                        .map(constant -> '"' + constantName(constant) + '"')
                        .collect(Collectors.joining(", ", "one of ", ""));
        return new SettingType(
                value ->
                        constants.stream()
                                .filter(
                                        constant ->
                                                constantName(constant)
                                                        .equals(text(value, expected)))
                                .findFirst()
                                .orElseThrow(() -> new IllegalArgumentException(expected)),
                value -> quote(constantName(value)));
    }

    private static String constantName(Object constant) {
        return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String text(Object value, String expected) {
        if (value instanceof String text) {
            return text;
        }
        throw new IllegalArgumentException(expected);
    }

    private static Object readBoolean(Object value) {
        String text = String.valueOf(value);
        if (text.equals("true") || text.equals("false")) {
            return text.equals("true");
        }
        throw new IllegalArgumentException("true or false");
    }

    private static Object readInt(Object value) {
        long number = (Long) readLong(value);
        if (number != (int) number) {
            throw new IllegalArgumentException("a whole number within ±2^31");
        }
        return (int) number;
    }

    private static Object readLong(Object value) {
        if (value instanceof Long number) {
            return number;
        }
        try {
            return Long.parseLong(text(value, "a whole number").replace("_", ""));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a whole number", e);
        }
    }

    private static Object readDouble(Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        try {
            return Double.parseDouble(text(value, "a number"));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a number", e);
        }
    }

    private static Object readList(Object value) {
        String expected = "a list of strings, such as [\"a\", \"b\"]";
        if (value instanceof String text) {
            return Arrays.stream(text.split(",", -1))
                    .map(String::strip)
                    .filter(item -> !item.isEmpty())
                    .toList();
        }
        if (!(value instanceof List<?> items)) {
            throw new IllegalArgumentException(expected);
        }
        List<String> strings = new ArrayList<>();
        items.forEach(item -> strings.add(text(item, expected)));
        return List.copyOf(strings);
    }

    private static String listToml(Object value) {
        return ((List<?>) value)
                .stream().map(SettingType::quote).collect(Collectors.joining(", ", "[", "]"));
    }

    /** A TOML basic string. */
    static String quote(Object value) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : String.valueOf(value).toCharArray()) {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> {
                    if (c < 0x20 || c == 0x7f) {
                        quoted.append(String.format(Locale.ROOT, "\\u%04X", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }
}
