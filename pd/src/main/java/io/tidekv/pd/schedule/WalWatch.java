package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.cluster.WalNodes;
import io.tidekv.proto.pdstate.WalEntry;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Which WAL nodes have been heard of lately. For display and for choosing voters, no more. */
final class WalWatch {
    private static final long TIMEOUT_NANOS = 5_000_000_000L;

    private final Map<Long, Long> lastSeenNanos = new HashMap<>();

    /** A node that has not been heard of since then is counted as silent from then on. */
    private final long sinceNanos;

    WalWatch(long sinceNanos) {
        this.sinceNanos = sinceNanos;
    }

    void seen(long walId, long nowNanos) {
        lastSeenNanos.put(walId, nowNanos);
    }

    long silentNanos(long walId, long nowNanos) {
        return nowNanos - lastSeenNanos.getOrDefault(walId, sinceNanos);
    }

    Set<Long> up(long nowNanos) {
        Set<Long> up = new HashSet<>();
        lastSeenNanos.forEach(
                (id, seen) -> {
                    if (nowNanos - seen < TIMEOUT_NANOS) {
                        up.add(id);
                    }
                });
        return up;
    }

    /** Those of the registered nodes that are to hold nothing: draining, or silent for too long. */
    Set<Long> unwanted(ClusterView view, long replaceAfterNanos, long nowNanos) {
        Set<Long> unwanted = new HashSet<>();
        for (WalEntry node : view.walNodes()) {
            long id = node.getWalId();
            boolean dead = replaceAfterNanos > 0 && silentNanos(id, nowNanos) >= replaceAfterNanos;
            if (dead || node.getMode() == NodeMode.DRAINING) {
                unwanted.add(id);
            }
        }
        return unwanted;
    }

    /** All registered nodes, as stores are told. */
    WalNodes nodes(ClusterView view, long nowNanos) {
        Set<Long> up = up(nowNanos);
        WalNodes.Builder nodes = WalNodes.newBuilder();
        for (WalEntry entry : view.walNodes()) {
            nodes.addNodes(
                    WalNode.newBuilder()
                            .setWalId(entry.getWalId())
                            .setUuid(entry.getUuid())
                            .setAddress(entry.getAddress())
                            .setZone(entry.getZone())
                            .setState(up.contains(entry.getWalId()) ? "Up" : "Down"));
        }
        return nodes.build();
    }
}
