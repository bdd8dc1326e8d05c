package io.tidekv.cli.client;

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

    /** As kvproto names it. Without its descriptors, which take long to load for the first one. */
    static String kind(Error error) {
        if (error.hasNotLeader()) {
            return "not_leader";
        } else if (error.hasRegionNotFound()) {
            return "region_not_found";
        } else if (error.hasEpochNotMatch()) {
            return "epoch_not_match";
        }
        return error.hasServerIsBusy() ? "server_is_busy" : "other";
    }

    static String kind(Throwable cause) {
        return cause instanceof StatusRuntimeException status
                ? status.getStatus().getCode().name()
                : "no_route";
    }
}
