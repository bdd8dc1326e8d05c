package io.tidekv.compute.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The corpus's text form of messages. */
final class ProtoText {
    /** Fields that only say how long the work took. */
    private static final Set<String> NOISE =
            Set.of(
                    "exec_details",
                    "exec_details_v2",
                    "time_detail",
                    "time_detail_v2",
                    "scan_detail",
                    "scan_detail_v2",
                    "debug_info",
                    "duration_to_last_update_ms",
                    "tikv_send_time_ns",
                    "transport_layer_load",
                    "health_feedback",
                    "execution_summaries",
                    "wait_time_ms");

    private ProtoText() {}

    static String escape(ByteString bytes) {
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) {
            int c = b & 0xFF;
            if (c >= 0x20 && c <= 0x7E && c != '\\') {
                out.append((char) c);
            } else {
                out.append(String.format(Locale.ROOT, "\\x%02x", c));
            }
        }
        return out.toString();
    }

    static ByteString unescape(String text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                out.write(Integer.parseInt(text.substring(i + 2, i + 4), 16));
                i += 3;
            } else {
                out.writeBytes(
                        String.valueOf(text.charAt(i)).getBytes(StandardCharsets.ISO_8859_1));
            }
        }
        return ByteString.copyFrom(out.toByteArray());
    }

    /** Fills a builder from its text form. */
    static void fill(Message.Builder message, JsonNode object, Symbols symbols) {
        object.properties()
                .forEach(
                        entry -> {
                            String name = entry.getKey();
                            FieldDescriptor field =
                                    message.getDescriptorForType().findFieldByName(name);
                            if (field == null) {
                                throw new IllegalArgumentException("no field " + name);
                            }
                            Object value = symbols.value(entry.getValue());
                            if (name.equals("context")) {
                                value = symbols.context(value);
                            }
                            set(message, field, value, symbols);
                        });
    }

    private static void set(
            Message.Builder message, FieldDescriptor field, Object value, Symbols symbols) {
        if (field.isRepeated()) {
            for (Object element : (List<?>) value) {
                message.addRepeatedField(field, element(message, field, element, symbols));
            }
        } else {
            message.setField(field, element(message, field, value, symbols));
        }
    }

    private static Object element(
            Message.Builder message, FieldDescriptor field, Object value, Symbols symbols) {
        return switch (field.getJavaType()) {
            case MESSAGE -> {
                Message.Builder inner = message.newBuilderForField(field);
                fill(inner, (JsonNode) Symbols.node(value), symbols);
                yield inner.build();
            }
            case BYTE_STRING -> unescape((String) value);
            case STRING -> value;
            case BOOLEAN -> value;
            case ENUM ->
                    value instanceof String name
                            ? field.getEnumType().findValueByName(name)
                            : field.getEnumType().findValueByNumber(((Number) value).intValue());
            case INT -> ((Number) value).intValue();
            case LONG -> ((Number) value).longValue();
            case FLOAT -> ((Number) value).floatValue();
            case DOUBLE -> ((Number) value).doubleValue();
        };
    }

    /** The text form: maps, lists, strings, BigInteger, Boolean, Double. */
    static Map<String, Object> show(Message message) {
        Map<String, Object> out = new LinkedHashMap<>();
        message.getAllFields()
                .forEach(
                        (field, value) -> {
                            if (NOISE.contains(field.getName())) {
                                return;
                            }
                            if (field.isRepeated()) {
                                List<Object> list = new ArrayList<>();
                                ((List<?>) value).forEach(e -> list.add(show(field, e)));
                                out.put(field.getName(), list);
                            } else {
                                out.put(field.getName(), show(field, value));
                            }
                        });
        return out;
    }

    private static Object show(FieldDescriptor field, Object value) {
        return switch (field.getJavaType()) {
            case MESSAGE -> show((Message) value);
            case BYTE_STRING -> escape((ByteString) value);
            case ENUM -> ((EnumValueDescriptor) value).getName();
            case INT -> BigInteger.valueOf(Integer.toUnsignedLong((Integer) value));
            case LONG -> new BigInteger(Long.toUnsignedString((Long) value));
            default -> value;
        };
    }
}
