package io.tidekv.proto;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Compares what was compiled with the table, collecting every difference. */
final class WireSchema {
    private final WireTable table;
    private final List<String> differences = new ArrayList<>();
    private int compared;

    WireSchema(WireTable table) {
        this.table = table;
    }

    List<String> differences() {
        return differences;
    }

    int compared() {
        return compared;
    }

    void compare(FileDescriptor file) {
        String syntax = file.toProto().getSyntax();
        expect("syntax of " + file.getName(), table.syntaxes.get(file.getPackage()), syntax);
        file.getMessageTypes().forEach(this::compare);
        file.getEnumTypes().forEach(this::compare);
        file.getServices().forEach(this::compare);
    }

    private void compare(Descriptor message) {
        if (!table.messages.contains(message.getFullName())) {
            differences.add("message " + message.getFullName() + " is not in the table");
        }
        for (FieldDescriptor field : message.getFields()) {
            String name = message.getFullName() + " " + field.getName();
            expect(name, table.fields.get(name), describe(field));
        }
        message.getNestedTypes().stream()
                .filter(nested -> !nested.getOptions().getMapEntry())
                .forEach(this::compare);
        message.getEnumTypes().forEach(this::compare);
    }

    private void compare(EnumDescriptor type) {
        for (EnumValueDescriptor value : type.getValues()) {
            String name = type.getFullName() + " " + value.getName();
            expect(name, table.values.get(name), Integer.toString(value.getNumber()));
        }
    }

    private void compare(ServiceDescriptor service) {
        for (MethodDescriptor rpc : service.getMethods()) {
            String name = service.getFullName() + "/" + rpc.getName();
            String request = stream(rpc.isClientStreaming()) + rpc.getInputType().getFullName();
            String response = stream(rpc.isServerStreaming()) + rpc.getOutputType().getFullName();
            expect(name, table.rpcs.get(name), request + " → " + response);
        }
    }

    private static String stream(boolean streaming) {
        return streaming ? "stream " : "";
    }

    private static String describe(FieldDescriptor field) {
        String label =
                field.isRepeated() ? "repeated" : field.isRequired() ? "required" : "optional";
        String type = type(field);
        if (field.isMapField()) {
            List<FieldDescriptor> entry = field.getMessageType().getFields();
            label = "map";
            type = type(entry.get(0)) + "/" + type(entry.get(1));
        }
        // A synthetic oneof is how proto3 spells `optional`, which the table does not use.
        String oneof =
                field.getContainingOneof() == null ? "" : field.getContainingOneof().getName();
        return WireTable.field(Integer.toString(field.getNumber()), label, type, oneof);
    }

    private static String type(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case MESSAGE -> field.getMessageType().getFullName();
            case ENUM -> field.getEnumType().getFullName();
            default -> field.getType().name().toLowerCase(Locale.ROOT);
        };
    }

    private void expect(String what, String inTable, String ours) {
        compared++;
        if (!ours.equals(inTable)) {
            differences.add(what + ": ours " + ours + ", table " + inTable);
        }
    }

    /** Every call of a service that the table lists, so that none is left out by mistake. */
    void expectComplete(ServiceDescriptor service) {
        for (Map.Entry<String, String> rpc : table.rpcs.entrySet()) {
            String[] name = rpc.getKey().split("/");
            if (name[0].equals(service.getFullName())
                    && service.findMethodByName(name[1]) == null) {
                differences.add("call " + rpc.getKey() + " is missing");
            }
        }
    }
}
