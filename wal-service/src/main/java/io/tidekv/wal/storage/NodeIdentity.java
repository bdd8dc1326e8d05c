package io.tidekv.wal.storage;

import java.util.UUID;

/**
 * Who a WAL node is. The UUID is made with the folder and never changes; PD knows the node by it.
 *
 * @param clusterId 0 until PD has registered the node
 * @param walId 0 until PD has registered the node
 */
public record NodeIdentity(UUID uuid, long clusterId, long walId) {
    /** Whether PD knows this node. */
    public boolean registered() {
        return walId != 0;
    }
}
