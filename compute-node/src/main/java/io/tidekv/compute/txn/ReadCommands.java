package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.MvccScanner;
import io.tidekv.compute.mvcc.PointReader;
import io.tidekv.compute.mvcc.ReadPolicy;
import io.tidekv.compute.mvcc.ReadPolicy.Isolation;
import io.tidekv.compute.mvcc.ScanEntry;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.proto.kvrpcpb.BatchGetRequest;
import io.tidekv.proto.kvrpcpb.BatchGetResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.ScanRequest;
import io.tidekv.proto.kvrpcpb.ScanResponse;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads at a timestamp. */
public final class ReadCommands {
    private ReadCommands() {}

    public static GetResponse get(GetRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        ReadPolicy policy = policy(request.getContext(), request.getVersion());
        try (PointReader reader = new PointReader(snapshot, policy, request.getNeedCommitTs())) {
            PointReader.Value value = reader.get(TxnKeys.checked(request.getKey(), bounds));
            if (value == null) {
                return GetResponse.newBuilder().setNotFound(true).build();
            }
            GetResponse.Builder response = GetResponse.newBuilder().setValue(value.bytes());
            if (request.getNeedCommitTs()) {
                response.setCommitTs(value.commitTs());
            }
            return response.build();
        } catch (TxnException e) {
            return GetResponse.newBuilder().setError(KeyErrors.of(e.error())).build();
        }
    }

    /** Keys without a value are left out; each key that cannot be read comes as its error. */
    public static BatchGetResponse batchGet(
            BatchGetRequest request, KeyBounds bounds, KvSnapshot snapshot, long bytesMax) {
        ReadPolicy policy = policy(request.getContext(), request.getVersion());
        boolean needCommitTs = request.getNeedCommitTs();
        ResponseSize size = new ResponseSize(bytesMax);
        BatchGetResponse.Builder response = BatchGetResponse.newBuilder();
        try (PointReader reader = new PointReader(snapshot, policy, needCommitTs)) {
            for (ByteString raw : request.getKeysList()) {
                KvPair pair = pair(reader, raw, bounds, needCommitTs);
                if (pair != null) {
                    size.add(pair.getKey().size() + pair.getValue().size());
                    response.addPairs(pair);
                }
            }
            return response.build();
        } catch (TxnException e) {
            return BatchGetResponse.newBuilder()
                    .addPairs(KvPair.newBuilder().setError(KeyErrors.of(e.error())))
                    .build();
        }
    }

    private static @Nullable KvPair pair(
            PointReader reader, ByteString raw, KeyBounds bounds, boolean needCommitTs) {
        try {
            PointReader.Value value = reader.get(TxnKeys.checked(raw, bounds));
            if (value == null) {
                return null;
            }
            KvPair.Builder pair = KvPair.newBuilder().setKey(raw).setValue(value.bytes());
            return needCommitTs ? pair.setCommitTs(value.commitTs()).build() : pair.build();
        } catch (TxnException e) {
            return KvPair.newBuilder().setError(KeyErrors.of(e.error())).build();
        }
    }

    /** Upwards from start to end, or downwards from (exclusive) start to end. */
    public static ScanResponse scan(
            ScanRequest request, KeyBounds bounds, KvSnapshot snapshot, long bytesMax) {
        boolean reverse = request.getReverse();
        byte[] first = TxnKey.of(request.getStartKey()).encoded();
        byte @Nullable [] last =
                request.getEndKey().isEmpty() ? null : TxnKey.of(request.getEndKey()).encoded();
        byte @Nullable [] lower = reverse ? last : first;
        byte @Nullable [] upper = reverse ? first : last;
        if ((lower != null && !bounds.startsAtOrBelow(lower))
                || (upper != null && !bounds.endsAtOrAbove(upper))) {
            return failed(KeyErrors.abort("the range reaches out of the region: route it again"));
        }
        if (lower != null && upper != null && Arrays.compareUnsigned(lower, upper) >= 0) {
            return ScanResponse.getDefaultInstance();
        }
        ReadPolicy policy = policy(request.getContext(), request.getVersion());
        ResponseSize size = new ResponseSize(bytesMax);
        ScanResponse.Builder response = ScanResponse.newBuilder();
        long limit = Integer.toUnsignedLong(request.getLimit());
        try (MvccScanner scanner =
                new MvccScanner(snapshot, policy, lower, upper, request.getKeyOnly(), reverse)) {
            while (response.getPairsCount() < limit) {
                ScanEntry entry = scanner.next();
                if (entry == null) {
                    break;
                }
                size.add(entry.key().raw().size() + entry.value().size());
                response.addPairs(pair(entry));
            }
            return response.build();
        } catch (TxnException e) {
            return failed(KeyErrors.of(e.error()));
        }
    }

    /** A locked key is one entry of the answer; any other error is all of it. */
    private static KvPair pair(ScanEntry entry) {
        TxnError error = entry.error();
        if (error == null) {
            return KvPair.newBuilder().setKey(entry.key().raw()).setValue(entry.value()).build();
        }
        if (!(error instanceof TxnError.Locked)) {
            throw new TxnException(error);
        }
        return KvPair.newBuilder().setError(KeyErrors.of(error)).build();
    }

    private static ScanResponse failed(KeyError error) {
        return ScanResponse.newBuilder()
                .setError(error)
                .addPairs(KvPair.newBuilder().setError(error))
                .build();
    }

    /** How a request reads. */
    public static ReadPolicy policy(Context context, long ts) {
        Isolation isolation =
                switch (context.getIsolationLevel()) {
                    case RC -> Isolation.READ_COMMITTED;
                    case RCCheckTS -> Isolation.CHECK_TS;
                    default -> Isolation.SNAPSHOT;
                };
        Set<Long> bypass = new HashSet<>(context.getResolvedLocksList());
        Set<Long> access = new HashSet<>(context.getCommittedLocksList());
        return new ReadPolicy(ts, isolation, bypass, access);
    }
}
