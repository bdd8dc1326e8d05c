package io.tidekv.compute.tablet;

import io.tidekv.compute.mvcc.Ts;
import io.tidekv.proto.manifest.TabletRecord;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * No commit record of a tablet is newer than this. Told to records, so that whoever looks for what
 * was committed after a moment need not read the rows of regions that have nothing of the kind. A
 * tablet that began with a record that does not tell does not know either. Thread-safe.
 */
public final class NewestCommit {
    private final boolean known;
    private final AtomicLong ts;

    /**
     * @param base what the tablet begins with; null: nothing
     */
    public NewestCommit(@Nullable TabletRecord base) {
        known = base == null || base.hasMaxCommitTs();
        ts = new AtomicLong(base == null ? 0 : base.getMaxCommitTs());
    }

    /** Before a row of this timestamp can be seen in the tablet. */
    public void saw(long commitTs) {
        ts.accumulateAndGet(commitTs, Ts::max);
    }

    /** After the rows that the record will hold have been chosen. */
    public void tell(TabletRecord.Builder record) {
        if (known) {
            record.setMaxCommitTs(ts.get());
        }
    }
}
