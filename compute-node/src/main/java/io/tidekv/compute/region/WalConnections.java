package io.tidekv.compute.region;

import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.client.WalLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Links to the WAL nodes that PD names, shared by the loops. Hands each response to the loop that
 * asked. Thread-safe.
 */
final class WalConnections implements WalLink.Listener, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(WalConnections.class);

    private record Node(String address, WalLink link) {}

    private final WalLink.Factory factory;
    private final Map<Long, Node> nodes = new ConcurrentHashMap<>();
    private volatile List<RegionLoop> loops = List.of();
    private boolean closed;

    WalConnections(WalLink.Factory factory) {
        this.factory = factory;
    }

    /** Set once, before the first node is known. */
    void loops(List<RegionLoop> all) {
        loops = all;
    }

    /** PD's list: connects to new nodes and to those that have moved, drops the others. */
    synchronized void update(List<WalNode> listed) {
        if (closed) {
            return;
        }
        List<Long> ids = new ArrayList<>();
        for (WalNode node : listed) {
            ids.add(node.getWalId());
            Node known = nodes.get(node.getWalId());
            if (known != null && !known.address.equals(node.getAddress())) {
                drop(node.getWalId(), "it has moved to " + node.getAddress());
                known = null;
            }
            if (known == null) {
                WalLink link = factory.connect(node.getWalId(), node.getAddress(), this);
                nodes.put(node.getWalId(), new Node(node.getAddress(), link));
            }
        }
        for (Long walId : List.copyOf(nodes.keySet())) {
            if (!ids.contains(walId)) {
                drop(walId, "PD does not list it any more");
            }
        }
    }

    private void drop(long walId, String reason) {
        Node node = nodes.remove(walId);
        if (node != null) {
            node.link.close();
            onDisconnected(walId, reason);
        }
    }

    /** False when nothing was sent, because of no connection or too much under way. */
    boolean send(long walId, List<WalRequest> requests) {
        Node node = nodes.get(walId);
        return node != null && node.link.send(requests);
    }

    /** Follows a region's log at a node; null when the node is not known. */
    WalLink.@Nullable Following follow(
            long walId, long regionId, long fromIndex, WalLink.Follower follower) {
        Node node = nodes.get(walId);
        return node == null ? null : node.link.follow(regionId, fromIndex, follower);
    }

    @Override
    public void onConnected(long walId) {
        log.info("connected to WAL node {}", walId);
        for (RegionLoop loop : loops) {
            loop.execute(() -> loop.connected(walId));
        }
    }

    @Override
    public void onDisconnected(long walId, String reason) {
        log.info("not connected to WAL node {}: {}", walId, reason);
        for (RegionLoop loop : loops) {
            loop.execute(() -> loop.disconnected(walId));
        }
    }

    @Override
    public void onResponses(long walId, List<WalResponse> responses) {
        List<RegionLoop> all = loops;
        if (all.size() == 1) {
            RegionLoop only = all.get(0);
            only.execute(() -> only.responses(walId, responses), GrpcTransports.linkLoop());
            return;
        }
        List<List<WalResponse>> parts = new ArrayList<>();
        all.forEach(loop -> parts.add(new ArrayList<>()));
        for (WalResponse response : responses) {
            parts.get(LoopSeq.loopOf(response, all.size())).add(response);
        }
        for (int i = 0; i < parts.size(); i++) {
            List<WalResponse> part = parts.get(i);
            RegionLoop loop = all.get(i);
            if (!part.isEmpty()) {
                loop.execute(() -> loop.responses(walId, part));
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        nodes.values().forEach(node -> node.link.close());
        nodes.clear();
    }
}
