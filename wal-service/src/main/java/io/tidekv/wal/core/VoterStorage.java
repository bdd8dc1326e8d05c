package io.tidekv.wal.core;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import java.util.List;

/**
 * The durable records of all voters of a WAL node: one append-only sequence, of which a crash loses
 * a suffix at most. Nothing here waits for the disk: the caller of {@link VoterNode} syncs once for
 * a round of requests before it releases their responses. A method that throws has appended
 * nothing. One thread at a time.
 */
public interface VoterStorage {
    /**
     * Regions with ids below this may have had a voter here that damage has taken away: made anew,
     * they begin as learners. 0 when nothing was ever lost.
     */
    default long forgottenBelow() {
        return 0;
    }

    /** Every region of the storage, in ascending order of id. Called once, before all else. */
    List<Recovered> recover();

    /**
     * Replaces the region's meta; makes the region if it is new. Entries at or below {@code
     * meta.snapshot.index}, which never goes back, will not be read again. Those above stay.
     *
     * @throws VoterStorageException when there is no space or the storage has failed
     */
    void putMeta(long regionId, VoterMeta meta);

    /**
     * As {@link #putMeta}, and drops every entry of the region, in one record. The next entry
     * appended has index {@code meta.snapshot.index + 1}.
     *
     * @throws VoterStorageException when there is no space or the storage has failed
     */
    void reset(long regionId, VoterMeta meta);

    /**
     * Appends entries with consecutive indexes, at least one. The first is at most one past the
     * last entry (or the snapshot); entries from its index on are replaced. All of them survive a
     * crash, or a prefix, which may be empty; what they replace is gone as soon as one survives.
     *
     * @throws VoterStorageException when there is no space or the storage has failed
     */
    void append(long regionId, List<Entry> entries);

    /**
     * The entries from {@code fromIndex} to {@code toIndex}, both inclusive and present, synced or
     * not; ends early before {@code bytesMax} of payload is exceeded, but has one entry at least.
     *
     * @throws VoterStorageException when the entries cannot be read
     */
    List<Entry> read(long regionId, long fromIndex, long toIndex, long bytesMax);

    /**
     * A region after a restart. It holds the entries in {@code (meta.snapshot.index, lastIndex]};
     * {@code lastIndex} equals the snapshot's when there are none.
     *
     * @param runs their terms, in ascending order; empty when there are no entries
     */
    record Recovered(long regionId, VoterMeta meta, List<TermRun> runs, long lastIndex) {}

    /** Entries from {@code firstIndex} to the next run or the end have this term. */
    record TermRun(long firstIndex, long term) {}
}
