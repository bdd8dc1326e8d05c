package io.tidekv.wal.client;

import io.tidekv.proto.wal.TailResponse;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.core.VoterView;
import org.jspecify.annotations.Nullable;

/** A follower of a voter in memory. Whoever runs the voter pushes after each change. */
public final class MemoryTail implements WalLink.Following {
    private static final int CHUNK_BYTES = 1 << 20;

    private final long regionId;
    private final WalLink.Follower follower;
    private final Runnable wake;
    // Guarded by this.
    private long next;
    private long told = -1;
    private int asked = 1;
    private boolean over;

    /**
     * @param wake asks for a {@link #push}, soon
     */
    public MemoryTail(long regionId, long from, WalLink.Follower follower, Runnable wake) {
        this.regionId = regionId;
        this.next = Math.max(1, from);
        this.follower = follower;
        this.wake = wake;
    }

    public long regionId() {
        return regionId;
    }

    /** Hands on what is known to be committed, as far as it is asked for. False: it is over. */
    public synchronized boolean push(@Nullable VoterView view, VoterStorage storage) {
        if (!over && view == null) {
            over = true;
            follower.onEnd("the region is not known at this WAL node");
        }
        if (over || view == null) {
            return false;
        }
        long commit = Math.min(view.commitIndex(), view.lastIndex());
        while (!over && asked > 0 && (next <= commit || told < commit)) {
            TailResponse.Builder response = TailResponse.newBuilder().setCommitIndex(commit);
            if (next <= view.snapshot().getIndex()) {
                response.setSnapshot(view.snapshot());
                next = view.snapshot().getIndex() + 1;
            }
            if (next <= commit) {
                response.addAllEntries(storage.read(regionId, next, commit, CHUNK_BYTES));
                next += response.getEntriesCount();
            }
            told = commit;
            asked--;
            follower.onEntries(response.build());
        }
        return !over;
    }

    /** The connection is gone. */
    public synchronized void end(String reason) {
        if (!over) {
            over = true;
            follower.onEnd(reason);
        }
    }

    @Override
    public void next() {
        synchronized (this) {
            asked++;
        }
        wake.run();
    }

    @Override
    public synchronized void close() {
        over = true;
    }
}
