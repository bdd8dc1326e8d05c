package io.tidekv.wal.client;

import io.tidekv.proto.region.Owner;
import java.util.Map;
import java.util.concurrent.Executor;

/** Makes links of one owner to WAL nodes in memory; addresses do not matter. */
public final class MemoryWalLinks implements WalLink.Factory {
    private final Owner owner;
    private final Map<Long, MemoryWalNode> nodes;
    private final Executor executor;

    /** {@code executor} runs one task at a time, in order. */
    public MemoryWalLinks(Owner owner, Map<Long, MemoryWalNode> nodes, Executor executor) {
        this.owner = owner;
        this.nodes = Map.copyOf(nodes);
        this.executor = executor;
    }

    @Override
    public WalLink connect(long walId, String address, WalLink.Listener listener) {
        MemoryWalNode node = nodes.get(walId);
        if (node == null) {
            throw new IllegalArgumentException("no WAL node " + walId);
        }
        return new MemoryWalLink(node, owner, listener, executor);
    }
}
