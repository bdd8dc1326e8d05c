package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How busy a region is with writes, and where it would be divided into two that are about as busy.
 * Counts operations per second and keeps some of their keys; a region that is above the limit for
 * ten seconds in a row is to be split. One thread.
 */
final class WriteLoad {
    private static final long WINDOW_NANOS = 1_000_000_000L;
    private static final int WINDOWS = 10;
    private static final int KEYS_PER_WINDOW = 16;

    /** Neither side gets less than this share of the sampled writes. */
    private static final double SHARE_MIN = 0.25;

    /** Longest prefix that is tried as an encoded border: one group of the encoding. */
    private static final int PREFIX_MAX = 8;

    private final long limitPerSecond;
    private final List<ByteString> sampled = new ArrayList<>();
    private long windowNanos;
    private long operations;
    private long nextSample;
    private long step = 1;
    private int busyWindows;

    /** {@code limitPerSecond} 0: load is no reason to split. */
    WriteLoad(long limitPerSecond, long nowNanos) {
        this.limitPerSecond = limitPerSecond;
        this.windowNanos = nowNanos;
    }

    void written(List<Entry> entries) {
        if (limitPerSecond == 0) {
            return;
        }
        for (Entry entry : entries) {
            if (entry.getKind() == EntryKind.WRITE) {
                operations += BatchBytes.count(entry.getData());
                sample(entry.getData());
            }
        }
    }

    private void sample(ByteString batch) {
        if (operations > nextSample && sampled.size() < WINDOWS * KEYS_PER_WINDOW) {
            ByteString key = BatchBytes.firstKey(batch);
            if (key != null) {
                sampled.add(key);
                nextSample = operations + step;
            }
        }
    }

    /** Ends a window when its time is over; true when the region has been too busy for too long. */
    boolean isTooHigh(long nowNanos) {
        long passed = nowNanos - windowNanos;
        if (limitPerSecond == 0 || passed < WINDOW_NANOS) {
            return false;
        }
        boolean busy = operations * (double) WINDOW_NANOS / passed >= limitPerSecond;
        step = Math.max(1, operations / KEYS_PER_WINDOW);
        operations = 0;
        nextSample = 0;
        windowNanos = nowNanos;
        busyWindows = busy ? busyWindows + 1 : 0;
        if (!busy) {
            sampled.clear();
        }
        return busyWindows >= WINDOWS;
    }

    /** A key that divides the writes, and starts over; null when none does, as with one hot key. */
    @Nullable ByteString takeKey(RegionShape shape) {
        List<ByteString> keys = new ArrayList<>(sampled);
        sampled.clear();
        busyWindows = 0;
        keys.sort(RegionRange.KEY_ORDER);
        if (keys.size() < KEYS_PER_WINDOW) {
            return null;
        }
        byte[] middle = keys.get(keys.size() / 2).toByteArray();
        for (byte[] border : borders(middle)) {
            ByteString key = ByteString.copyFrom(border);
            long below =
                    keys.stream().filter(k -> RegionRange.KEY_ORDER.compare(k, key) < 0).count();
            double share = (double) below / keys.size();
            if (share >= SHARE_MIN && share <= 1 - SHARE_MIN && RegionRange.isInner(shape, key)) {
                return key;
            }
        }
        return null;
    }

    /** Where to cut near a stored key, best first: clients of transactions decode borders. */
    private static List<byte[]> borders(byte[] stored) {
        List<byte[]> borders = new ArrayList<>();
        if (Memcomparable.isEncoded(stored)) {
            borders.add(stored);
            return borders;
        }
        if (stored.length > Long.BYTES) {
            byte[] user = Memcomparable.withoutSuffix(stored);
            if (Memcomparable.isEncoded(user)) {
                borders.add(user);
                return borders;
            }
        }
        for (int length = Math.min(PREFIX_MAX, stored.length); length > 0; length--) {
            borders.add(Memcomparable.encode(Arrays.copyOf(stored, length)));
        }
        borders.add(stored);
        return borders;
    }
}
