package io.tidekv.common.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A TOML file, flattened: dotted key to String, Boolean, Long, Double or List of these. */
record TomlSource(Map<String, Object> values, List<String> tables) {

    static TomlSource read(Path file) {
        JsonNode root;
        try {
            root = new TomlMapper().readTree(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new ConfigException(file + ": there is no such file", e);
        } catch (JsonProcessingException e) {
            String where =
                    e.getLocation() == null
                            ? ""
                            : ":"
                                    + e.getLocation().getLineNr()
                                    + ":"
                                    + e.getLocation().getColumnNr();
            throw new ConfigException(
                    file + where + ": not valid TOML: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new ConfigException(file + ": cannot be read: " + e.getMessage(), e);
        }
        TomlSource source = new TomlSource(new LinkedHashMap<>(), new ArrayList<>());
        source.flatten("", root);
        return source;
    }

    private void flatten(String prefix, JsonNode table) {
        table.properties()
                .forEach(
                        field -> {
                            String name = prefix + field.getKey();
                            if (field.getValue().isObject()) {
                                tables.add(name);
                                flatten(name + ".", field.getValue());
                            } else {
                                values.put(name, value(field.getValue()));
                            }
                        });
    }

    private static Object value(JsonNode node) {
        if (node.isBoolean()) {
            return node.booleanValue();
        } else if (node.isIntegralNumber()) {
            return node.canConvertToLong() ? (Object) node.longValue() : node.asText();
        } else if (node.isNumber()) {
            return node.doubleValue();
        } else if (node.isArray()) {
            List<Object> items = new ArrayList<>();
            node.forEach(item -> items.add(value(item)));
            return items;
        }
        return node.isObject() ? Map.of() : node.asText();
    }
}
