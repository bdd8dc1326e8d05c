package io.tidekv.compute.tablet;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The state of a region after a prefix of its log. Writers: the region's thread only. Everything
 * else is thread-safe.
 */
public interface Tablet extends AutoCloseable {
    /** Shape and pending children as of the last applied entry. */
    RegionState state();

    /** The last applied entry. */
    AppliedMark applied();

    /**
     * Applies committed entries that follow the last applied one. WRITE entries change data, as one
     * atomic step or several; all others only move the mark. Entries that change {@link #state()}
     * go through {@link #applyState}.
     *
     * @throws io.tidekv.common.error.KvException ServerIsBusy when the tablet's memory is full and
     *     being flushed: {@link #applied()} says how far it got, the rest is to be applied again in
     *     a moment. RegionUnavailable when it cannot take writes any more: it must be closed and
     *     opened again from the current record
     */
    void apply(List<Entry> entries);

    /**
     * Applies a write batch of the region that this one is split from, before the first entry of
     * its own log. The mark does not move. Same thread and failures as {@link #apply}.
     */
    void inherit(ByteString batch);

    /** Applies an entry (split, child published) whose effect is a new state; throws as above. */
    void applyState(AppliedMark mark, RegionState after);

    /**
     * Applies an entry by which the region takes its neighbour over: the state after it, and what
     * the neighbour wrote that the files taken over do not hold, an empty string or a batch. Throws
     * as above.
     */
    void applyMerge(AppliedMark mark, RegionState after, ByteString writes);

    /**
     * A view of the data as of now, of keys in the shape's range. Holds the tablet's resources
     * until closed, also past {@link #close()}.
     */
    KvSnapshot snapshot(RegionShape shape);

    /** Bytes in memory that no file holds yet. */
    long memtableBytes();

    /** Bytes of log entries applied after the published record's index. */
    long unpublishedBytes();

    /**
     * Whether so much garbage has gone since the published record, without a log entry, that a new
     * record is worth it.
     */
    default boolean changedBesideLog() {
        return false;
    }

    /**
     * Estimated stored bytes of keys in {@code [from, to)} over all column families; an empty
     * {@code to} has no bound. Never fetches objects.
     */
    long approximateBytes(byte[] from, byte[] to);

    /** Estimated number of keys in the region, versions and tombstones included. */
    long approximateKeys();

    /** Whether every file is local: reads then touch no object. */
    boolean hydrated();

    /**
     * Told by the driver once a ManifestCommit of {@code record} has been applied and was valid.
     */
    void published(PreparedRecord record);

    /** The newest record known by {@link #published}, or the one that the tablet was opened at. */
    @Nullable PreparedRecord base();

    /**
     * Names of objects outside the base that the tablet may still read: files that lie outside a
     * range that has shrunk, until they are compacted away.
     */
    default Set<String> strays() {
        return Set.of();
    }

    /**
     * A compaction that is due and that the tablet leaves to somebody else. Until {@link #takeBack}
     * it begins none of published files itself. Null: there is none.
     */
    default @Nullable LentCompaction lent() {
        return null;
    }

    /** Nobody does it: the tablet compacts itself again, at once if need be. */
    default void takeBack() {}

    /** No new use from here on; resources go with the last snapshot. */
    @Override
    void close();
}
