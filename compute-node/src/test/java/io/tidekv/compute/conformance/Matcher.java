package io.tidekv.compute.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Compares an answer with what the corpus expects. Lists what differs. */
final class Matcher {
    private static final Set<String> OPTIONAL =
            Set.of("$any", "$ge", "$le", "$lt", "$gt", "$add", "$bind", "$proto", "$len");

    private Matcher() {}

    static List<String> match(JsonNode expected, Object actual, Symbols symbols) {
        List<String> differences = new ArrayList<>();
        match(expected, actual, symbols, "", differences);
        return differences;
    }

    private static void match(
            JsonNode expected,
            @Nullable Object actual,
            Symbols symbols,
            String at,
            List<String> out) {
        boolean symbol = expected.isTextual() && expected.textValue().startsWith("$");
        if (symbol || expected.has("$add") || expected.has("$repeat") || expected.has("$cat")) {
            equal(symbols.value(expected), actual, at, out);
        } else if (Symbols.isOperator(expected)) {
            operator(expected, actual, symbols, at, out);
        } else if (expected.isObject()) {
            object(expected, actual, symbols, at, out);
        } else if (expected.isArray()) {
            if (!(actual instanceof List<?> list) || list.size() != expected.size()) {
                out.add(at + ": expected " + expected + ", got " + actual);
                return;
            }
            for (int i = 0; i < list.size(); i++) {
                match(expected.get(i), list.get(i), symbols, at + "[" + i + "]", out);
            }
        } else {
            equal(symbols.value(expected), actual, at, out);
        }
    }

    private static void equal(
            Object expected, @Nullable Object actual, String at, List<String> out) {
        if (!expected.equals(actual)) {
            out.add(at + ": expected " + expected + ", got " + actual);
        }
    }

    private static void object(
            JsonNode expected,
            @Nullable Object actual,
            Symbols symbols,
            String at,
            List<String> out) {
        if (!(actual instanceof Map<?, ?> map)) {
            out.add(at + ": expected " + expected + ", got " + actual);
            return;
        }
        Set<String> names = new LinkedHashSet<>();
        expected.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            JsonNode wanted = expected.get(name);
            if (map.containsKey(name) || isOptional(wanted, symbols)) {
                if (map.containsKey(name) || Symbols.isOperator(wanted)) {
                    match(wanted, map.get(name), symbols, at + "." + name, out);
                }
            } else {
                out.add(at + "." + name + ": missing, expected " + wanted);
            }
        }
        for (Object name : map.keySet()) {
            if (!names.contains((String) name)) {
                out.add(at + "." + name + ": unexpected " + map.get(name));
            }
        }
    }

    private static boolean isOptional(JsonNode wanted, Symbols symbols) {
        if (wanted.isTextual() && wanted.textValue().startsWith("$")) {
            Object value = symbols.value(wanted);
            return "".equals(value) || BigInteger.ZERO.equals(value);
        }
        return Symbols.isOperator(wanted) && OPTIONAL.stream().anyMatch(wanted::has);
    }

    private static void operator(
            JsonNode expected,
            @Nullable Object actual,
            Symbols symbols,
            String at,
            List<String> out) {
        if (expected.has("$any")) {
            return;
        }
        int before = out.size();
        if (expected.has("$text") && !(actual instanceof String text && !text.isEmpty())) {
            out.add(at + ": expected some text, got " + actual);
        }
        if (expected.has("$re")
                && !(actual instanceof String text
                        && Pattern.compile(expected.get("$re").textValue(), Pattern.DOTALL)
                                .matcher(text)
                                .find())) {
            out.add(at + ": expected text like " + expected.get("$re") + ", got " + actual);
        }
        Object number = actual == null ? BigInteger.ZERO : actual;
        for (String op : List.of("$gt", "$ge", "$lt", "$le")) {
            if (expected.has(op) && !holds(op, number, symbols.value(expected.get(op)))) {
                out.add(at + ": expected " + op + " " + expected.get(op) + ", got " + actual);
            }
        }
        List<?> list = actual instanceof List<?> some ? some : List.of();
        if (expected.has("$len")
                && !symbols.value(expected.get("$len")).equals(BigInteger.valueOf(list.size()))) {
            out.add(at + ": expected " + expected.get("$len") + " entries, got " + actual);
        }
        if (expected.has("$each")) {
            list.forEach(entry -> match(expected.get("$each"), entry, symbols, at + "[]", out));
        }
        if (expected.has("$set")) {
            if (list.size() != expected.get("$set").size()) {
                out.add(at + ": expected " + expected.get("$set") + ", got " + actual);
            }
            some(expected.get("$set"), list, symbols, at, out);
        }
        if (expected.has("$some")) {
            some(expected.get("$some"), list, symbols, at, out);
        }
        if (expected.has("$has")) {
            has(expected.get("$has"), actual, symbols, at, out);
        }
        if (expected.has("$bind") && out.size() == before) {
            symbols.bind(expected.get("$bind").textValue(), number);
        }
    }

    private static void has(
            JsonNode members,
            @Nullable Object actual,
            Symbols symbols,
            String at,
            List<String> out) {
        members.properties()
                .forEach(
                        entry -> {
                            if (actual instanceof Map<?, ?> map
                                    && map.containsKey(entry.getKey())) {
                                match(
                                        entry.getValue(),
                                        map.get(entry.getKey()),
                                        symbols,
                                        at + "." + entry.getKey(),
                                        out);
                            } else {
                                out.add(at + "." + entry.getKey() + ": missing");
                            }
                        });
    }

    private static void some(
            JsonNode wanted, List<?> actual, Symbols symbols, String at, List<String> out) {
        List<Object> left = new ArrayList<>(actual);
        for (JsonNode entry : wanted) {
            Object found = null;
            for (Object candidate : left) {
                if (match(entry, candidate, symbols.copy()).isEmpty()) {
                    found = candidate;
                    break;
                }
            }
            if (found == null) {
                out.add(at + ": nothing like " + entry + " in " + actual);
            } else {
                match(entry, found, symbols);
                left.remove(found);
            }
        }
    }

    private static boolean holds(String op, Object actual, Object bound) {
        if (!(actual instanceof BigInteger number) || !(bound instanceof BigInteger limit)) {
            return false;
        }
        int order = number.compareTo(limit);
        return switch (op) {
            case "$gt" -> order > 0;
            case "$ge" -> order >= 0;
            case "$lt" -> order < 0;
            default -> order <= 0;
        };
    }
}
