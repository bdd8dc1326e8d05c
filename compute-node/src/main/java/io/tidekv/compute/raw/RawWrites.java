package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import java.util.List;

/**
 * Batches of raw writes that need no reading. What a request cannot have is refused by its {@code
 * check}, with a {@link RawException}; a batch is then made without fail. Writes of one request
 * share a timestamp.
 */
public final class RawWrites {
    private static final String EMPTY = "an empty request";

    /** A key's framing in a batch, timestamp and expiry included, at most. */
    private static final int FRAME = 48;

    private final RawFormat format;

    public RawWrites(RawFormat format) {
        this.format = format;
    }

    public void check(RawPutRequest request) {
        format.values().checkTtl(request.getTtl());
    }

    public WriteBatchBuilder put(RawPutRequest request, Cf cf, long nowSeconds, long ts) {
        ByteString key = request.getKey();
        ByteString value = request.getValue();
        return new WriteBatchBuilder(key.size() + (key.size() >> 3) + value.size() + FRAME)
                .put(
                        cf,
                        format.keys().at(key, ts),
                        format.values().encode(value, request.getTtl(), nowSeconds));
    }

    public void check(RawBatchPutRequest request) {
        List<Long> ttls = request.getTtlsList();
        ttls.forEach(format.values()::checkTtl);
        int count = request.getPairsCount();
        if (ttls.size() > 1 && ttls.size() != count) {
            throw new RawException("The length of ttls does not equal to the length of pairs");
        }
        if (count == 0) {
            throw new RawException(EMPTY);
        }
    }

    /** Of equal keys the last one stands. */
    public WriteBatchBuilder batchPut(RawBatchPutRequest request, Cf cf, long nowSeconds, long ts) {
        List<Long> ttls = request.getTtlsList();
        int count = request.getPairsCount();
        WriteBatchBuilder batch = new WriteBatchBuilder(request.getSerializedSize() + 24 * count);
        for (int i = 0; i < count; i++) {
            KvPair pair = request.getPairs(i);
            long ttl = ttls.isEmpty() ? 0 : ttls.get(ttls.size() == 1 ? 0 : i);
            batch.put(
                    cf,
                    format.keys().at(pair.getKey(), ts),
                    format.values().encode(pair.getValue(), ttl, nowSeconds));
        }
        return batch;
    }

    public WriteBatchBuilder delete(RawDeleteRequest request, Cf cf, long ts) {
        return delete(
                new WriteBatchBuilder(request.getKey().size() + FRAME), cf, request.getKey(), ts);
    }

    public void check(RawBatchDeleteRequest request) {
        if (request.getKeysCount() == 0) {
            throw new RawException(EMPTY);
        }
    }

    public WriteBatchBuilder batchDelete(RawBatchDeleteRequest request, Cf cf, long ts) {
        WriteBatchBuilder batch = new WriteBatchBuilder(request.getSerializedSize());
        request.getKeysList().forEach(key -> delete(batch, cf, key, ts));
        return batch;
    }

    /** With versions a deletion is one of them: an older one would show otherwise. */
    WriteBatchBuilder delete(WriteBatchBuilder batch, Cf cf, ByteString key, long ts) {
        byte[] stored = format.keys().at(key, ts);
        return format.keys().versioned()
                ? batch.put(cf, stored, format.values().tombstone())
                : batch.delete(cf, stored);
    }
}
