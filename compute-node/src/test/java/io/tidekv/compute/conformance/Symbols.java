package io.tidekv.compute.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Names bound while a case runs, and the expressions that use them. */
final class Symbols {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Map<String, Object> bound;

    private final boolean inV2;

    /**
     * @param inV2 whether contexts name API V2
     */
    Symbols(boolean inV2) {
        this(new HashMap<>(), inV2);
    }

    private Symbols(Map<String, Object> bound, boolean inV2) {
        this.bound = bound;
        this.inV2 = inV2;
    }

    Symbols copy() {
        return new Symbols(new HashMap<>(bound), inV2);
    }

    void bind(String name, Object value) {
        bound.put(name, value instanceof Long n ? unsigned(n) : value);
    }

    static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }

    static boolean isOperator(JsonNode node) {
        if (!node.isObject() || node.isEmpty()) {
            return false;
        }
        boolean[] all = {true};
        node.fieldNames().forEachRemaining(name -> all[0] &= name.startsWith("$"));
        return all[0];
    }

    /** An expression's value; structures stay as they are. */
    Object value(JsonNode node) {
        if (node.isTextual() && node.textValue().startsWith("$")) {
            String name = node.textValue().substring(1);
            if (name.equals("ctx") || name.equals("none")) {
                return node.textValue();
            }
            if (!bound.containsKey(name)) {
                throw new IllegalStateException("not bound: " + name);
            }
            return bound.get(name);
        }
        if (node.isObject() && node.has("$add")) {
            BigInteger base = (BigInteger) value(node.get("$add").get(0));
            return base.add((BigInteger) value(node.get("$add").get(1)));
        }
        if (node.isObject() && node.has("$repeat")) {
            return node.get("$repeat")
                    .get(0)
                    .textValue()
                    .repeat(node.get("$repeat").get(1).intValue());
        }
        if (node.isObject() && node.has("$cat")) {
            StringBuilder out = new StringBuilder();
            node.get("$cat").forEach(part -> out.append(value(part)));
            return out.toString();
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isIntegralNumber()) {
            return node.bigIntegerValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(element -> list.add(value(element)));
            return list;
        }
        return node;
    }

    /** A request's context: "$ctx" or {"$ctx": overrides}. */
    Object context(Object value) {
        ObjectNode overrides = MAPPER.createObjectNode();
        if (value instanceof ObjectNode object) {
            if (!object.has("$ctx")) {
                return object;
            }
            overrides = (ObjectNode) object.get("$ctx");
        } else if (!"$ctx".equals(value)) {
            return value;
        }
        ObjectNode context = MAPPER.createObjectNode();
        context.put("region_id", "$region.id");
        context.putObject("region_epoch")
                .put("conf_ver", "$region.conf_ver")
                .put("version", "$region.version");
        context.putObject("peer").put("id", "$peer.id").put("store_id", "$store.id");
        if (inV2) {
            context.put("api_version", "V2");
        }
        context.setAll(overrides);
        List<String> gone = new ArrayList<>();
        context.properties()
                .forEach(
                        entry -> {
                            if (entry.getValue().asText().equals("$none")) {
                                gone.add(entry.getKey());
                            }
                        });
        context.remove(gone);
        return context;
    }

    static JsonNode node(Object value) {
        if (value instanceof JsonNode node) {
            return node;
        }
        if (value instanceof String text) {
            return TextNode.valueOf(text);
        }
        if (value instanceof BigInteger number) {
            return BigIntegerNode.valueOf(number);
        }
        if (value instanceof Boolean flag) {
            return BooleanNode.valueOf(flag);
        }
        ArrayNode array = MAPPER.createArrayNode();
        ((List<?>) value).forEach(element -> array.add(node(element)));
        return array;
    }
}
