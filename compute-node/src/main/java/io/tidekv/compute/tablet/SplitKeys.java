package io.tidekv.compute.tablet;

import io.tidekv.common.codec.Memcomparable;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.proto.region.RegionShape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Chooses where a region that has grown too large is split.
 *
 * <p>Clients of mode V1 that use transactions decode the borders of regions, as TiKV's clients do,
 * and fail over one that is no encoded key. So a border is an encoded key where the data allow it,
 * and always in a region that holds transactional data.
 */
public final class SplitKeys {
    private static final int V1_TTL = 2;
    private static final int V2 = 3;

    /** Neither side gets less than this share of the data. */
    private static final double SHARE_MIN = 0.1;

    private static final double[] SHARES = {0.5, 0.35, 0.65, 0.2, 0.8};

    /**
     * Longest prefix of a raw key that is tried as an encoded border: one group of the encoding.
     */
    private static final int PREFIX_MAX = 8;

    private SplitKeys() {}

    /**
     * A key that divides the region's data into two parts of about equal size, or null when no
     * boundary does better than 10 % to 90 %. May fetch objects; blocks.
     *
     * @param apiMode 1 = V1, 2 = V1TTL, 3 = V2
     */
    public static byte @Nullable [] middle(Tablet tablet, RegionShape shape, int apiMode) {
        try (KvSnapshot snapshot = tablet.snapshot(shape)) {
            if (apiMode == V2) {
                // All of its keys are encoded and have versions, those of raw data too.
                byte[] border = transactional(new SizeWalk(tablet, snapshot, shape, Cf.DEFAULT));
                return border != null
                        ? border
                        : transactional(new SizeWalk(tablet, snapshot, shape, Cf.WRITE));
            }
            if (apiMode != V1_TTL && hasRows(snapshot, Cf.WRITE)) {
                return transactional(new SizeWalk(tablet, snapshot, shape, Cf.WRITE));
            }
            return raw(new SizeWalk(tablet, snapshot, shape, Cf.DEFAULT));
        }
    }

    private static boolean hasRows(KvSnapshot snapshot, Cf cf) {
        try (KvIterator rows = snapshot.iterator(cf, null, null)) {
            rows.seekToFirst();
            return rows.isValid();
        }
    }

    /** All versions of a key stay together: the border is the key without its timestamp. */
    private static byte @Nullable [] transactional(SizeWalk walk) {
        for (double share : SHARES) {
            byte[] row = walk.keyAt(share);
            if (row != null && row.length > Long.BYTES) {
                byte[] border = Memcomparable.withoutSuffix(row);
                if (Memcomparable.isEncoded(border) && isFair(walk.shareBelow(border))) {
                    return border;
                }
            }
        }
        return null;
    }

    private static byte @Nullable [] raw(SizeWalk walk) {
        byte[] best = null;
        double distance = 0.5 - SHARE_MIN;
        byte[] plain = null;
        for (double share : SHARES) {
            byte[] row = walk.keyAt(share);
            if (row == null) {
                continue;
            }
            if (plain == null && isFair(walk.shareBelow(row))) {
                plain = row;
            }
            for (int length = Math.min(PREFIX_MAX, row.length); length > 0; length--) {
                byte[] border = Memcomparable.encode(Arrays.copyOf(row, length));
                double off = Math.abs(walk.shareBelow(border) - 0.5);
                if (off <= distance) {
                    best = border;
                    distance = off;
                }
            }
        }
        return best != null ? best : plain;
    }

    private static boolean isFair(double share) {
        return share >= SHARE_MIN && share <= 1 - SHARE_MIN;
    }
}
