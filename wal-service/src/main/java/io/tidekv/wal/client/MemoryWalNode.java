package io.tidekv.wal.client;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.core.VoterView;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A WAL node in memory, for tests and simulations. Thread-safe. */
public final class MemoryWalNode {
    private final long walId;
    private final Clock clock;
    private final MemoryVoterStorage storage = new MemoryVoterStorage();
    private final List<MemoryWalLink> links = new ArrayList<>();
    private final List<MemoryTail> tails = new ArrayList<>();
    private VoterNode voters;
    private long starts = 1;
    private boolean up = true;

    public MemoryWalNode(long walId, Clock clock) {
        this.walId = walId;
        this.clock = clock;
        voters = recover();
    }

    private VoterNode recover() {
        return new VoterNode(storage, VoterRules.RIGHT, starts << 32, clock.read());
    }

    public long walId() {
        return walId;
    }

    /** Ends the node as kill -9 does: its links break, what is durable stays. */
    public void stop() {
        List<MemoryWalLink> broken;
        synchronized (this) {
            up = false;
            broken = List.copyOf(links);
        }
        push();
        broken.forEach(link -> link.disconnected("the node was stopped"));
    }

    /** Starts the node again; its links come back. */
    public void start() {
        List<MemoryWalLink> back;
        synchronized (this) {
            starts++;
            voters = recover();
            up = true;
            back = List.copyOf(links);
        }
        back.forEach(MemoryWalLink::connected);
    }

    /** The region as its voter sees it; null when it is unknown. */
    public synchronized @Nullable VoterView view(long regionId) {
        return voters.view(regionId);
    }

    /** Handles requests, durably; null while stopped. */
    synchronized @Nullable List<WalResponse> handle(Owner sender, List<WalRequest> requests) {
        if (!up) {
            return null;
        }
        List<WalResponse> responses = new ArrayList<>();
        for (WalRequest request : requests) {
            responses.add(voters.handle(sender, request, clock.read()));
        }
        storage.syncTo(storage.position());
        push();
        return responses;
    }

    /** Hands the followers what is new. */
    synchronized void push() {
        if (up) {
            tails.removeIf(tail -> !tail.push(voters.view(tail.regionId()), storage));
        } else {
            tails.forEach(tail -> tail.end("the node was stopped"));
            tails.clear();
        }
    }

    synchronized void add(MemoryTail tail) {
        tails.add(tail);
        push();
    }

    /** True when the node is up. */
    synchronized boolean add(MemoryWalLink link) {
        links.add(link);
        return up;
    }

    synchronized void remove(MemoryWalLink link) {
        links.remove(link);
    }
}
