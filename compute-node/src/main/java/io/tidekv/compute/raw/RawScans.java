package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.proto.kvrpcpb.KeyRange;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchScanRequest;
import io.tidekv.proto.kvrpcpb.RawBatchScanResponse;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.RawScanResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Scans of raw keys, bounded by keys and by bytes. */
public final class RawScans {
    private RawScans() {}

    public static RawScanResponse scan(
            RawScanRequest request, Cf cf, RawReader reader, long bytesMax) {
        Collector pairs = new Collector(request.getKeyOnly(), bytesMax);
        pairs.limit(request.getLimit());
        pairs.scan(reader, cf, request.getStartKey(), request.getEndKey(), request.getReverse());
        return RawScanResponse.newBuilder().addAllKvs(pairs.found).build();
    }

    /** Each range gives up to the limit, in the order of the ranges. */
    public static RawBatchScanResponse batchScan(
            RawBatchScanRequest request, Cf cf, RawReader reader, long bytesMax) {
        List<KeyRange> ranges = closed(request.getRangesList());
        for (KeyRange range : ranges) {
            checkOrder(range, request.getReverse());
        }
        Collector pairs = new Collector(request.getKeyOnly(), bytesMax);
        for (KeyRange range : ranges) {
            pairs.limit(request.getEachLimit());
            pairs.scan(reader, cf, range.getStartKey(), range.getEndKey(), request.getReverse());
        }
        return RawBatchScanResponse.newBuilder().addAllKvs(pairs.found).build();
    }

    /** A range without end ends where the next one starts. */
    private static List<KeyRange> closed(List<KeyRange> ranges) {
        List<KeyRange> closed = new ArrayList<>(ranges.size());
        for (int i = 0; i < ranges.size(); i++) {
            KeyRange range = ranges.get(i);
            boolean open = range.getEndKey().isEmpty() && i + 1 < ranges.size();
            closed.add(
                    open
                            ? range.toBuilder().setEndKey(ranges.get(i + 1).getStartKey()).build()
                            : range);
        }
        return closed;
    }

    private static void checkOrder(KeyRange range, boolean reverse) {
        byte[] start = range.getStartKey().toByteArray();
        byte[] end = range.getEndKey().toByteArray();
        int order = Arrays.compareUnsigned(start, end);
        if (end.length > 0 && (reverse ? order <= 0 : order >= 0)) {
            throw new RawException("Invalid KeyRanges: a range ends where it starts, or before");
        }
    }

    /** The bytes of an answer with one more pair; throws beyond the bound. */
    static long counted(long bytes, ByteString key, ByteString value, long bytesMax) {
        long now = bytes + key.size() + value.size();
        if (now > bytesMax) {
            // Clients take a short answer for the end of the region.
            throw new RawException(
                    "the answer is larger than " + bytesMax + " bytes: ask for fewer keys at once");
        }
        return now;
    }

    /** Collects pairs up to a limit per range and bytes in all. */
    private static final class Collector {
        private final List<KvPair> found = new ArrayList<>();
        private final boolean keyOnly;
        private final long bytesMax;
        private long left;
        private long bytes;

        Collector(boolean keyOnly, long bytesMax) {
            this.keyOnly = keyOnly;
            this.bytesMax = bytesMax;
        }

        void limit(int unsigned) {
            left = Integer.toUnsignedLong(unsigned);
        }

        void scan(RawReader reader, Cf cf, ByteString start, ByteString end, boolean reverse) {
            if (left > 0) {
                reader.scan(cf, start, end, reverse, this::take);
            }
        }

        private boolean take(ByteString key, ByteString value) {
            ByteString shown = keyOnly ? ByteString.EMPTY : value;
            bytes = counted(bytes, key, shown, bytesMax);
            found.add(KvPair.newBuilder().setKey(key).setValue(shown).build());
            left--;
            return left > 0;
        }
    }
}
