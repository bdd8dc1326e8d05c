package io.tidekv.objects.restore;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;

/**
 * A record that a restored region may begin with.
 *
 * @param storedMillis by the store's clock: its state is not later
 */
record Candidate(TabletRecord record, ObjectRef ref, long storedMillis) {
    long regionId() {
        return record.getShape().getRegionId();
    }

    ByteString start() {
        return record.getShape().getStartKey();
    }

    /** Empty: no bound. */
    ByteString end() {
        return record.getShape().getEndKey();
    }

    long version() {
        return record.getShape().getVersion();
    }

    /** Whether it was made by a parent, for a split that may not have come about. */
    boolean isFirstOfSplit() {
        return record.getAppliedIndex() == 0
                && record.getLineageCount() > 0
                && origin().getEvent().equals("split");
    }

    /** The parent, and the entry of its log up to which this goes. */
    Lineage origin() {
        return record.getLineage(record.getLineageCount() - 1);
    }

    /** Whether this comes later in its region's log than another record of the region. */
    boolean isNewerThan(Candidate other) {
        int terms = Long.compareUnsigned(record.getTerm(), other.record.getTerm());
        return terms != 0
                ? terms > 0
                : Long.compareUnsigned(record.getSequence(), other.record.getSequence()) > 0;
    }
}
