package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.PendingTerm;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Renews the sessions of this process: one Renew per WAL node, whatever the number of regions. One
 * per thread that runs leaders: leaders register sessions through {@link Sessions} and ask here
 * whether they were renewed, so a renewal costs nothing per region.
 */
public final class SessionRenewer implements Sessions {
    /** Told, within {@code onResponse}, of regions that a voter means to give to another owner. */
    public interface PendingListener {
        /** To be passed to {@link RegionLeader#onPending}. */
        void pending(long walId, long regionId, long pendingTerm);

        /** A WAL node asks for a region to be published, for its entries take up room there. */
        default void publish(long regionId) {}
    }

    /** The session at one WAL node. */
    private static final class Node {
        private boolean connected;
        private long session;
        private Clock.@Nullable Reading renewedAt;
        private Clock.@Nullable Reading sentAt;
        private long sentSeq;
        private long sentSession;
    }

    private final LeaderOptions options;
    private final LeaderRules rules;
    private final Owner owner;
    private final LeaderOutbox outbox;
    private final PendingListener listener;
    private final Map<Long, Node> nodes = new TreeMap<>();
    private long nextSeq = 1;

    public SessionRenewer(
            LeaderOptions options,
            LeaderRules rules,
            Owner owner,
            LeaderOutbox outbox,
            PendingListener listener) {
        this.options = options;
        this.rules = rules;
        this.owner = owner;
        this.outbox = outbox;
        this.listener = listener;
    }

    public void onConnected(long walId, Clock.Reading now) {
        onDisconnected(walId, now);
        node(walId).connected = true;
    }

    /** The session may outlive the connection: it ends when the node says so. */
    public void onDisconnected(long walId, Clock.Reading now) {
        Node node = node(walId);
        node.connected = false;
        node.sentSeq = 0;
        node.sentAt = null;
    }

    /** A response to a Renew: those have region id 0. Others and unknown ones are ignored. */
    public void onResponse(long walId, WalResponse response, Clock.Reading now) {
        Node node = node(walId);
        Clock.Reading sentAt = node.sentAt;
        if (sentAt == null || node.sentSeq == 0 || response.getSeq() != node.sentSeq) {
            return;
        }
        node.sentSeq = 0;
        if (!response.hasRenew()) {
            if (node.session == node.sentSession) {
                node.session = 0;
                node.renewedAt = null;
            }
            return;
        }
        // First the regions that were not extended: they must not take this renewal for theirs.
        for (PendingTerm pending : response.getRenew().getPendingList()) {
            listener.pending(walId, pending.getRegionId(), pending.getTerm());
        }
        response.getRenew().getPublishRegionIdsList().forEach(listener::publish);
        if (node.session == node.sentSession) {
            node.renewedAt = rules.leaseStart(sentAt, now);
        }
    }

    /** Sends what is due. To be called every 100 ms or so. */
    public void tick(Clock.Reading now) {
        for (Map.Entry<Long, Node> each : nodes.entrySet()) {
            Node node = each.getValue();
            Clock.Reading last = node.sentAt;
            boolean due =
                    last == null
                            || now.monotonicNanos() - last.monotonicNanos()
                                    >= options.renewMs() * 1_000_000L;
            if (node.connected && node.session != 0 && node.sentSeq == 0 && due) {
                renew(each.getKey(), node, now);
            }
        }
    }

    private void renew(long walId, Node node, Clock.Reading now) {
        node.sentSeq = nextSeq++;
        node.sentSession = node.session;
        node.sentAt = now;
        RenewRequest body =
                RenewRequest.newBuilder()
                        .setOwner(owner)
                        .setSession(node.session)
                        .setLeaseMs(options.leaseMs())
                        .build();
        outbox.send(walId, WalRequest.newBuilder().setSeq(node.sentSeq).setRenew(body).build());
    }

    @Override
    public void joined(long walId, long session) {
        Node node = node(walId);
        if (node.session != session) {
            node.session = session;
            node.renewedAt = null;
        }
    }

    @Override
    public boolean current(long walId, long session) {
        return session != 0 && node(walId).session == session;
    }

    @Override
    public Clock.@Nullable Reading renewedAt(long walId, long session) {
        Node node = node(walId);
        return session != 0 && node.session == session ? node.renewedAt : null;
    }

    private Node node(long walId) {
        return nodes.computeIfAbsent(walId, id -> new Node());
    }
}
