package io.tidekv.objects.restore;

import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;

/** Makes states of regions that no record holds: what a record holds and what was written after. */
public interface StateMaker {
    /**
     * Begins at a record.
     *
     * @param term in whose name new table files are stored
     */
    Replay begin(ObjectRef ref, TabletRecord record, long term);

    /** Begins with a region that holds nothing. */
    Replay beginEmpty(RegionShape shape, int apiMode, long term);

    /**
     * Settles the locks of transactions that nobody goes on with: each is committed or rolled back
     * as the states together say. For every commit record that stays all prewrites of its
     * transaction are in the states, as locks or commit records. States of which something is
     * removed may have been taken one after the other; otherwise they go equally far.
     *
     * @param regions in key order, none twice; their new files are stored in the name of their
     *     terms
     * @param upToTs what was committed later is removed; -1: nothing is
     * @return the states after it, in the same order, not stored
     */
    List<TabletRecord> settle(List<TabletRecord> regions, long upToTs);

    /** A region's state under way. Belongs to one thread; every call may block. */
    interface Replay extends AutoCloseable {
        /**
         * Takes what the parent of a split wrote after its child's first record was made, before
         * the first entry of the child's own log. Entries of other kinds than writes are passed
         * over.
         */
        void inherit(Entry entry);

        /** Applies the next entry of the region's log, as it is there: parts are joined here. */
        void apply(Entry entry);

        /** Children of the splits among the entries that have been applied, in their order. */
        List<SplitChild> born();

        /**
         * The state after the last whole entry. New table files are in the store, the record is
         * not.
         */
        TabletRecord finish();

        @Override
        void close();
    }
}
