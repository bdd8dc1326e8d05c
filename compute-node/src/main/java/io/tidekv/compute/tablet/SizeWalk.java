package io.tidekv.compute.tablet;

import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds stored keys by how much of the region's data lies below them. Large regions are bisected by
 * estimates; small ones, where estimates are too coarse, are walked. One thread.
 */
final class SizeWalk {
    /** Regions below this many bytes are walked. */
    private static final long WALKED_BYTES = 1 << 20;

    private static final int WALKED_ROWS = 50_000;
    private static final int STEPS_MAX = 128;
    private static final double CLOSE_ENOUGH = 0.02;

    private final Tablet tablet;
    private final KvSnapshot snapshot;
    private final Cf cf;
    private final byte[] start;
    private final byte[] end;
    private final long total;

    /** Rows of a small region and the bytes before each; null in a large one. */
    private final @Nullable List<Row> rows;

    private static final class Row {
        private final byte[] key;
        private final long bytesBefore;

        Row(byte[] key, long bytesBefore) {
            this.key = key;
            this.bytesBefore = bytesBefore;
        }
    }

    /**
     * @param cf the column family whose keys are candidates
     */
    SizeWalk(Tablet tablet, KvSnapshot snapshot, RegionShape shape, Cf cf) {
        this.tablet = tablet;
        this.snapshot = snapshot;
        this.cf = cf;
        this.start = shape.getStartKey().toByteArray();
        this.end = shape.getEndKey().toByteArray();
        long estimate = tablet.approximateBytes(start, end);
        List<Row> walked = estimate < WALKED_BYTES ? walk() : null;
        if (walked == null) {
            this.rows = null;
            this.total = estimate;
        } else {
            Row last = walked.remove(walked.size() - 1);
            this.rows = walked;
            this.total = last.bytesBefore;
        }
    }

    /** All rows and one beyond the last; null when there are too many. */
    private @Nullable List<Row> walk() {
        List<Row> found = new ArrayList<>();
        long bytes = 0;
        try (KvIterator iterator = snapshot.iterator(cf, null, null)) {
            for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
                if (found.size() == WALKED_ROWS) {
                    return null;
                }
                byte[] key = iterator.key();
                found.add(new Row(key, bytes));
                bytes += key.length + iterator.value().length;
            }
        }
        found.add(new Row(end, bytes));
        return found;
    }

    /** A stored key, not the region's first, with about this share of the data below it. */
    byte @Nullable [] keyAt(double share) {
        if (total == 0) {
            return null;
        }
        if (rows != null) {
            for (Row row : rows) {
                if (row.bytesBefore >= share * total && row.bytesBefore > 0) {
                    return row.key;
                }
            }
            return null;
        }
        try (KvIterator iterator = snapshot.iterator(cf, null, null)) {
            return bisect(iterator, share);
        }
    }

    private byte @Nullable [] bisect(KvIterator iterator, double share) {
        iterator.seekToFirst();
        byte[] low = iterator.isValid() ? iterator.key() : start;
        iterator.seekToLast();
        if (!iterator.isValid()) {
            return null;
        }
        byte[] high = iterator.key();
        byte[] best = null;
        double distance = Double.MAX_VALUE;
        for (int step = 0; step < STEPS_MAX; step++) {
            byte[] probe = Midpoint.between(low, high);
            if (probe == null) {
                break;
            }
            iterator.seek(probe);
            byte[] key = iterator.isValid() ? iterator.key() : high;
            double off = shareBelow(key) - share;
            if (Math.abs(off) < distance) {
                best = key;
                distance = Math.abs(off);
            }
            if (distance <= CLOSE_ENOUGH) {
                break;
            }
            if (off < 0) {
                low = key;
            } else {
                // Between the probe and this key there is nothing.
                high = probe;
            }
        }
        return best == null || Arrays.compareUnsigned(best, start) <= 0 ? null : best;
    }

    /** Share of the region's data in keys below {@code border}. */
    double shareBelow(byte[] border) {
        if (total == 0
                || Arrays.compareUnsigned(border, start) <= 0
                || (end.length > 0 && Arrays.compareUnsigned(border, end) >= 0)) {
            return 0;
        }
        if (rows == null) {
            return (double) tablet.approximateBytes(start, border) / total;
        }
        long below = total;
        for (Row row : rows) {
            if (Arrays.compareUnsigned(row.key, border) >= 0) {
                below = row.bytesBefore;
                break;
            }
        }
        return (double) below / total;
    }
}
