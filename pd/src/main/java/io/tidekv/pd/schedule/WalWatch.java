package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.cluster.WalNodes;
import io.tidekv.proto.pdstate.WalEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which WAL nodes have been heard of lately. For display and for choosing voters, no more. */
final class WalWatch {
    private static final long TIMEOUT_NANOS = 5_000_000_000L;

    private final Map<Long, Long> lastSeenNanos = new HashMap<>();

    void seen(long walId, long nowNanos) {
        lastSeenNanos.put(walId, nowNanos);
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

    /** Voters for the first region: live ones, of different zones as far as there are any. */
    List<Long> voters(ClusterView view, int count, long nowNanos) {
        Set<Long> up = up(nowNanos);
        Set<Long> chosen = new LinkedHashSet<>();
        Set<String> zones = new HashSet<>();
        for (WalEntry entry : view.walNodes()) {
            if (up.contains(entry.getWalId())
                    && chosen.size() < count
                    && (entry.getZone().isEmpty() || zones.add(entry.getZone()))) {
                chosen.add(entry.getWalId());
            }
        }
        for (WalEntry entry : view.walNodes()) {
            if (up.contains(entry.getWalId()) && chosen.size() < count) {
                chosen.add(entry.getWalId());
            }
        }
        return new ArrayList<>(chosen);
    }
}
