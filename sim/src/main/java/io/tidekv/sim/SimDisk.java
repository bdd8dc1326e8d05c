package io.tidekv.sim;

import io.tidekv.proto.region.Entry;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.storage.RepairBounds;
import java.util.List;

/** The disk of a WAL node: loses in a crash what was not synced, can be full, can fail. */
interface SimDisk {
    /** What the voters of the present life write to; another one after each recovery. */
    VoterStorage storage();

    /** While true there is no room for anything more. */
    void full(boolean now);

    /** The next access fails, and with it the storage. */
    void failNext();

    /** How much has been appended: to be passed to {@link #syncTo}. */
    long position();

    /** Whether something waits for a sync. */
    boolean dirty();

    /** Makes durable what was appended up to there, at least. False: the storage has failed. */
    boolean syncTo(long position);

    /** What a node does beside its requests. */
    void maintain();

    /** The power goes: any suffix of what was not synced is lost. */
    void crash();

    /**
     * A byte of what was synced changes while the node is down; the node finds that when it starts,
     * and keeps what is whole.
     */
    default void rot(RepairBounds.Source pd) {}

    /** Whether damage took from the region what was not made up for yet: it counts for nothing. */
    default boolean lacks(long regionId) {
        return false;
    }

    /** Everything is gone. */
    void wipe();

    /** Reads back, in the same process, what is durable for certain. */
    void reopen();

    /** Whether the entry would survive any crash: as an entry, or covered by the snapshot. */
    boolean holds(long regionId, long index, long term);

    List<Entry> durableEntries(long regionId);
}
