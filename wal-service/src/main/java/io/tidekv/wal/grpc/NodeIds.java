package io.tidekv.wal.grpc;

import java.util.UUID;

/**
 * Who this node is.
 *
 * @param clusterId 0 until PD has registered the node
 * @param walId 0 until PD has registered the node
 */
public record NodeIds(UUID uuid, long clusterId, long walId) {
    public boolean registered() {
        return walId != 0;
    }
}
