package io.tidekv.wal.client;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * The twin of the real link: calls a {@link MemoryWalNode}. Everything happens on the executor,
 * which runs one task at a time, in order.
 */
public final class MemoryWalLink implements WalLink {
    private final MemoryWalNode node;
    private final Owner owner;
    private final Listener listener;
    private final Executor executor;
    // Guarded by this. Counts connections, so that answers of an earlier one are dropped.
    private long connection;
    private boolean connected;
    private boolean closed;

    /** A link of {@code owner}; it connects as soon as the executor runs. */
    public MemoryWalLink(MemoryWalNode node, Owner owner, Listener listener, Executor executor) {
        this.node = node;
        this.owner = owner;
        this.listener = listener;
        this.executor = executor;
        if (node.add(this)) {
            connected();
        }
    }

    @Override
    public long walId() {
        return node.walId();
    }

    void connected() {
        executor.execute(
                () -> {
                    synchronized (this) {
                        if (closed || connected) {
                            return;
                        }
                        connected = true;
                        connection++;
                    }
                    listener.onConnected(node.walId());
                });
    }

    void disconnected(String reason) {
        executor.execute(
                () -> {
                    synchronized (this) {
                        if (closed || !connected) {
                            return;
                        }
                        connected = false;
                    }
                    listener.onDisconnected(node.walId(), reason);
                });
    }

    @Override
    public boolean send(List<WalRequest> requests) {
        long mine;
        synchronized (this) {
            if (!connected || closed) {
                return false;
            }
            mine = connection;
        }
        List<WalRequest> sent = List.copyOf(requests);
        executor.execute(() -> answer(mine, sent));
        return true;
    }

    @Override
    public Following follow(long regionId, long fromIndex, Follower follower) {
        Runnable wake = () -> executor.execute(node::push);
        MemoryTail tail = new MemoryTail(regionId, fromIndex, follower, wake);
        executor.execute(() -> node.add(tail));
        return tail;
    }

    private void answer(long mine, List<WalRequest> requests) {
        List<WalResponse> responses = node.handle(owner, requests);
        synchronized (this) {
            if (closed || !connected || mine != connection || responses == null) {
                return;
            }
        }
        listener.onResponses(node.walId(), responses);
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        node.remove(this);
    }
}
