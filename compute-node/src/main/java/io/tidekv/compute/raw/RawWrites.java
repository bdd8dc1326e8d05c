package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import java.util.Iterator;
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
        WriteBatchBuilder batch =
                new WriteBatchBuilder(key.size() + (key.size() >> 3) + value.size() + FRAME);
        return put(batch, cf, key, value, request.getTtl(), nowSeconds, ts);
    }

    private WriteBatchBuilder put(
            WriteBatchBuilder batch,
            Cf cf,
            ByteString key,
            ByteString value,
            long ttl,
            long nowSeconds,
            long ts) {
        RawKeys keys = format.keys();
        ByteString stored =
                keys.versioned() ? UnsafeByteOperations.unsafeWrap(keys.at(key, ts)) : key;
        return batch.put(cf, stored, value, format.values().suffix(ttl, nowSeconds));
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

    /**
     * Of equal keys the last one stands.
     *
     * @param bytesMax a batch is divided into parts of about this size, made one after the other
     */
    public Iterator<WriteBatchBuilder> batchPut(
            RawBatchPutRequest request, Cf cf, long nowSeconds, long ts, int bytesMax) {
        List<Long> ttls = request.getTtlsList();
        return new Parts(request.getPairsCount(), bytesMax) {
            @Override
            int bytes(int i) {
                KvPair pair = request.getPairs(i);
                return pair.getKey().size() + pair.getValue().size() + FRAME;
            }

            @Override
            void add(WriteBatchBuilder batch, int i) {
                KvPair pair = request.getPairs(i);
                long ttl = ttls.isEmpty() ? 0 : ttls.get(ttls.size() == 1 ? 0 : i);
                put(batch, cf, pair.getKey(), pair.getValue(), ttl, nowSeconds, ts);
            }
        };
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

    /** Divided as {@link #batchPut}. */
    public Iterator<WriteBatchBuilder> batchDelete(
            RawBatchDeleteRequest request, Cf cf, long ts, int bytesMax) {
        return new Parts(request.getKeysCount(), bytesMax) {
            @Override
            int bytes(int i) {
                return request.getKeys(i).size() + FRAME;
            }

            @Override
            void add(WriteBatchBuilder batch, int i) {
                delete(batch, cf, request.getKeys(i), ts);
            }
        };
    }

    /** With versions a deletion is one of them: an older one would show otherwise. */
    WriteBatchBuilder delete(WriteBatchBuilder batch, Cf cf, ByteString key, long ts) {
        byte[] stored = format.keys().at(key, ts);
        return format.keys().versioned()
                ? batch.put(cf, stored, format.values().tombstone())
                : batch.delete(cf, stored);
    }
}
