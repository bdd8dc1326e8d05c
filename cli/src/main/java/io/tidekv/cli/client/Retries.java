package io.tidekv.cli.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import io.grpc.StatusRuntimeException;
import io.tidekv.proto.errorpb.Error;
import java.util.Map;
import java.util.TreeMap;

/** Counts what commands were repeated for, by kind. Thread-safe. */
final class Retries {
    // Guarded by this.
    private final Map<String, Long> byKind = new TreeMap<>();

    synchronized void count(String kind) {
        byKind.merge(kind, 1L, Long::sum);
    }

    /** What has been counted since the last call. */
    synchronized Map<String, Long> take() {
        Map<String, Long> taken = new TreeMap<>(byKind);
        byKind.clear();
        return taken;
    }

    /** The name of the error, as kvproto has it. */
    static String kind(Error error) {
        for (FieldDescriptor field : error.getAllFields().keySet()) {
            if (field.getJavaType() == JavaType.MESSAGE) {
                return field.getName();
            }
        }
        return "other";
    }

    static String kind(Throwable cause) {
        return cause instanceof StatusRuntimeException status
                ? status.getStatus().getCode().name()
                : "no_route";
    }
}
