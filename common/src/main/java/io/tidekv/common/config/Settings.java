package io.tidekv.common.config;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Loads and prints settings records. A later source wins: defaults of {@link Setting}, the file,
 * the overrides. Anything that does not fit the record is a {@link ConfigException}; nothing is
 * ignored.
 */
public final class Settings {
    private static final String FLAGS = "command line";

    private Settings() {}

    /**
     * Reads a record.
     *
     * @param file TOML file, or null for none
     * @param overrides values by dotted kebab-case key, such as {@code storage.segment-size}
     */
    public static <T extends Record> T load(
            Class<T> type, @Nullable Path file, Map<String, String> overrides) {
        Schema schema = Schema.of(type);
        Map<String, Schema.Key> keys = schema.allKeys();
        Map<String, Object> typed = new LinkedHashMap<>();
        keys.forEach((name, key) -> typed.put(name, read(key, key.setting().value(), "default")));
        if (file != null) {
            TomlSource source = TomlSource.read(file);
            List<String> tables = schema.allTables();
            for (String table : source.tables()) {
                if (!tables.contains(table)) {
                    throw keys.containsKey(table)
                            ? wrong(file.toString(), table, "a table", "a value, not a table")
                            : unknown(file.toString(), "section", table, tables);
                }
            }
            put(keys, source.values(), file.toString(), typed);
        }
        put(keys, overrides, FLAGS, typed);
        Object record = schema.create(key -> typed.get(key.name()));
        return type.cast(record);
    }

    /** All keys at their defaults. */
    public static <T extends Record> T defaults(Class<T> type) {
        return load(type, null, Map.of());
    }

    /** The settings as TOML that {@link #load} reads back; secrets are hidden. */
    public static String render(Record settings) {
        StringBuilder out = new StringBuilder();
        render(Schema.of(settings.getClass()), settings, out);
        return out.toString();
    }

    /** A TOML file with every key commented out at its default, each under its explanation. */
    public static String template(Class<? extends Record> type) {
        StringBuilder out = new StringBuilder();
        template(Schema.of(type), out);
        return out.toString();
    }

    private static void put(
            Map<String, Schema.Key> keys,
            Map<String, ?> values,
            String source,
            Map<String, Object> into) {
        values.forEach(
                (name, value) -> {
                    Schema.Key key = keys.get(name);
                    if (key == null) {
                        throw unknown(source, "key", name, List.copyOf(keys.keySet()));
                    }
                    into.put(name, read(key, value, source));
                });
    }

    private static Object read(Schema.Key key, Object value, String source) {
        try {
            return key.type().read().apply(value);
        } catch (IllegalArgumentException e) {
            Object shown = key.setting().secret() ? "<hidden>" : value;
            throw wrong(source, key.name(), shown, e.getMessage());
        }
    }

    private static ConfigException wrong(
            String source, String key, Object value, @Nullable String expected) {
        String shown = value instanceof String text ? SettingType.quote(text) : value.toString();
        return new ConfigException(source + ": " + key + " = " + shown + ": expected " + expected);
    }

    private static ConfigException unknown(
            String source, String what, String name, List<String> candidates) {
        String nearest = NearestKey.of(name, candidates);
        return new ConfigException(
                source
                        + ": unknown "
                        + what
                        + " \""
                        + name
                        + (nearest.isEmpty() ? "\"" : "\"; did you mean \"" + nearest + "\"?"));
    }

    private static void render(Schema schema, Object record, StringBuilder out) {
        for (Schema.Key key : schema.ownKeys()) {
            Object value = Schema.read(key.component(), record);
            String shown = key.type().toml().apply(value);
            if (key.setting().secret() && !shown.equals("\"\"")) {
                shown = "\"<hidden>\"";
            }
            out.append(lastPart(key.name())).append(" = ").append(shown).append('\n');
        }
        for (Schema.Table table : schema.ownTables()) {
            out.append("\n[").append(table.name()).append("]\n");
            Object nested = Schema.read(table.component(), record);
            render(table.schema(), nested, out);
        }
    }

    private static void template(Schema schema, StringBuilder out) {
        for (Schema.Key key : schema.ownKeys()) {
            comment(key.setting().doc(), out);
            String value = key.type().toml().apply(read(key, key.setting().value(), "default"));
            out.append("# ").append(lastPart(key.name())).append(" = ").append(value);
            out.append("\n\n");
        }
        for (Schema.Table table : schema.ownTables()) {
            comment(table.section().value(), out);
            out.append('[').append(table.name()).append("]\n\n");
            template(table.schema(), out);
        }
    }

    private static void comment(String text, StringBuilder out) {
        if (!text.isEmpty()) {
            text.lines().forEach(line -> out.append("## ").append(line).append('\n'));
        }
    }

    private static String lastPart(String dotted) {
        return dotted.substring(dotted.lastIndexOf('.') + 1);
    }
}
