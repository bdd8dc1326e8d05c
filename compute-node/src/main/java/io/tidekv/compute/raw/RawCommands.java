package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.raw.RawValues.RawValue;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.Outcome;
import io.tidekv.proto.kvrpcpb.KeyRange;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchGetRequest;
import io.tidekv.proto.kvrpcpb.RawBatchGetResponse;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawCASResponse;
import io.tidekv.proto.kvrpcpb.RawChecksumRequest;
import io.tidekv.proto.kvrpcpb.RawChecksumResponse;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLRequest;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLResponse;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;

/**
 * Raw commands that read. Each throws {@link RawException} for what the response tells as a text.
 */
public final class RawCommands {
    private final RawFormat format;
    private final RawWrites writes;

    public RawCommands(RawFormat format) {
        this.format = format;
        writes = new RawWrites(format);
    }

    public RawGetResponse get(RawGetRequest request, Cf cf, RawReader reader) {
        RawValue value = reader.get(cf, request.getKey());
        return value == null
                ? RawGetResponse.newBuilder().setNotFound(true).build()
                : RawGetResponse.newBuilder().setValue(value.bytes()).build();
    }

    /** Missing keys are left out; a key outside of the region ends the answer with its error. */
    public RawBatchGetResponse batchGet(
            RawBatchGetRequest request, Cf cf, KeyBounds bounds, RawReader reader, long bytesMax) {
        RawBatchGetResponse.Builder response = RawBatchGetResponse.newBuilder();
        long bytes = 0;
        for (ByteString key : request.getKeysList()) {
            RawValue value = reader.get(cf, checked(key, bounds));
            if (value != null) {
                bytes = RawScans.counted(bytes, key, value.bytes(), bytesMax);
                response.addPairs(KvPair.newBuilder().setKey(key).setValue(value.bytes()));
            }
        }
        return response.build();
    }

    public RawGetKeyTTLResponse ttl(
            RawGetKeyTTLRequest request, Cf cf, RawReader reader, long nowSeconds) {
        RawValue value = reader.get(cf, request.getKey());
        return value == null
                ? RawGetKeyTTLResponse.newBuilder().setNotFound(true).build()
                : RawGetKeyTTLResponse.newBuilder().setTtl(value.ttl(nowSeconds)).build();
    }

    /**
     * Compares and writes. The caller holds the key's latch.
     *
     * @param ts of the write; greater than that of every write seen
     */
    public Outcome<RawCASResponse> compareAndSwap(
            RawCASRequest request, Cf cf, RawReader reader, long nowSeconds, long ts) {
        ByteString key = request.getKey();
        RawValue current = reader.get(cf, key);
        boolean holds =
                request.getPreviousNotExist()
                        ? current == null
                        : current != null && current.bytes().equals(request.getPreviousValue());
        RawCASResponse.Builder response = RawCASResponse.newBuilder().setSucceed(holds);
        if (current == null) {
            response.setPreviousNotExist(true);
        } else {
            response.setPreviousValue(current.bytes());
        }
        if (!holds) {
            return Outcome.of(response.build());
        }
        WriteBatchBuilder batch = new WriteBatchBuilder();
        if (request.getDelete()) {
            writes.delete(batch, cf, key, ts);
        } else {
            batch.put(
                    cf,
                    format.keys().at(key, ts),
                    format.values().encode(request.getValue(), request.getTtl(), nowSeconds));
        }
        return new Outcome<>(response.build(), batch);
    }

    /** The exclusive or of the CRC-64 of each pair, over all ranges. */
    public RawChecksumResponse checksum(RawChecksumRequest request, RawReader reader) {
        long[] sums = new long[3];
        for (KeyRange range : request.getRangesList()) {
            reader.scan(
                    Cf.DEFAULT,
                    range.getStartKey(),
                    range.getEndKey(),
                    false,
                    (key, value) -> {
                        sums[0] ^= new Crc64().update(key).update(value).value();
                        sums[1]++;
                        sums[2] += key.size() + value.size();
                        return true;
                    });
        }
        return RawChecksumResponse.newBuilder()
                .setChecksum(sums[0])
                .setTotalKvs(sums[1])
                .setTotalBytes(sums[2])
                .build();
    }

    private ByteString checked(ByteString key, KeyBounds bounds) {
        if (!bounds.contains(format.keys().bound(key))) {
            throw new RawException("the key is not in the region of this request: route it again");
        }
        return key;
    }

    /** A pair that stands for the failure of a whole batch. */
    public static KvPair failed(RawException error) {
        return KvPair.newBuilder().setError(KeyErrors.abort(error.text())).build();
    }
}
