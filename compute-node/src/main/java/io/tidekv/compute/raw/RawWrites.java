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

/** Batches of raw writes that need no reading. Each throws {@link RawException} when refused. */
public final class RawWrites {
    private static final String EMPTY = "an empty request";

    private final RawValues values;

    public RawWrites(RawValues values) {
        this.values = values;
    }

    public WriteBatchBuilder put(RawPutRequest request, long nowSeconds) {
        Cf cf = RawCf.of(request.getCf());
        values.checkTtl(request.getTtl());
        ByteString value = request.getValue();
        return new WriteBatchBuilder(request.getKey().size() + value.size() + 48)
                .put(
                        cf,
                        request.getKey().toByteArray(),
                        values.encode(value, request.getTtl(), nowSeconds));
    }

    /** Of equal keys the last one stands. */
    public WriteBatchBuilder batchPut(RawBatchPutRequest request, long nowSeconds) {
        Cf cf = RawCf.of(request.getCf());
        List<Long> ttls = request.getTtlsList();
        ttls.forEach(values::checkTtl);
        int count = request.getPairsCount();
        if (ttls.size() > 1 && ttls.size() != count) {
            throw new RawException("The length of ttls does not equal to the length of pairs");
        }
        if (count == 0) {
            throw new RawException(EMPTY);
        }
        WriteBatchBuilder batch = new WriteBatchBuilder(request.getSerializedSize() + 12 * count);
        for (int i = 0; i < count; i++) {
            KvPair pair = request.getPairs(i);
            long ttl = ttls.isEmpty() ? 0 : ttls.get(ttls.size() == 1 ? 0 : i);
            batch.put(
                    cf,
                    pair.getKey().toByteArray(),
                    values.encode(pair.getValue(), ttl, nowSeconds));
        }
        return batch;
    }

    public WriteBatchBuilder delete(RawDeleteRequest request) {
        return new WriteBatchBuilder()
                .delete(RawCf.of(request.getCf()), request.getKey().toByteArray());
    }

    public WriteBatchBuilder batchDelete(RawBatchDeleteRequest request) {
        Cf cf = RawCf.of(request.getCf());
        if (request.getKeysCount() == 0) {
            throw new RawException(EMPTY);
        }
        WriteBatchBuilder batch = new WriteBatchBuilder(request.getSerializedSize());
        request.getKeysList().forEach(key -> batch.delete(cf, key.toByteArray()));
        return batch;
    }
}
