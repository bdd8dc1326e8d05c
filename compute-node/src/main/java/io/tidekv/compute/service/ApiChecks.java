package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.raw.RawException;
import io.tidekv.proto.kvrpcpb.APIVersion;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KeyRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which requests a cluster of some API mode takes, as TiKV decides it. In V2 the first byte of a
 * key says whose it is: {@code r} raw, {@code x} transactional; a request without version may speak
 * of TiDB's own keys, {@code m} and {@code t}.
 */
final class ApiChecks {
    /** TiKV's limit for keys as stored. */
    private static final int KEY_BYTES_MAX = 8 << 10;

    private static final String RAW = "r";
    private static final String TXN = "x";
    private static final String TIDB = "mt";

    private final ApiMode mode;

    ApiChecks(ApiMode mode) {
        this.mode = mode;
    }

    /** Throws when raw requests of this version, or these keys, are not for this cluster. */
    void checkRaw(Context context, List<ByteString> keys) {
        checkRawVersion(context);
        for (int i = 0; mode == ApiMode.V2 && i < keys.size(); i++) {
            checkRawKeyMode(keys.get(i));
        }
    }

    void checkRaw(Context context, ByteString key) {
        checkRawVersion(context);
        checkRawKeyMode(key);
    }

    private void checkRawKeyMode(ByteString key) {
        if (mode == ApiMode.V2 && !isOf(RAW, key)) {
            throw new RawException(wrongKey());
        }
    }

    /** As {@link #checkRaw} for ranges; in V2 both bounds must be named. */
    void checkRawRanges(Context context, List<KeyRange> ranges) {
        checkRawVersion(context);
        for (KeyRange range : ranges) {
            checkRawRange(range.getStartKey(), range.getEndKey());
        }
    }

    void checkRawRange(Context context, ByteString start, ByteString end) {
        checkRawVersion(context);
        checkRawRange(start, end);
    }

    private void checkRawRange(ByteString start, ByteString end) {
        if (mode == ApiMode.V2 && !isOf(RAW, start, end)) {
            throw new RawException(wrongRange());
        }
    }

    private void checkRawVersion(Context context) {
        APIVersion wanted = mode == ApiMode.V2 ? APIVersion.V2 : APIVersion.V1;
        if (context.getApiVersion() != wanted) {
            throw new RawException(mismatch(context));
        }
    }

    /** Why a transactional request is refused whatever its keys are; null when it is not. */
    @Nullable String refuseTxn(Context context) {
        APIVersion asked = context.getApiVersion();
        boolean fits =
                switch (mode) {
                    case V1 -> asked == APIVersion.V1;
                    case V1TTL -> false;
                    case V2 -> asked == APIVersion.V1 || asked == APIVersion.V2;
                };
        return fits ? null : mismatch(context);
    }

    /** Why a transactional request on these keys is refused; null when it is not. */
    @Nullable String refuseTxn(Context context, Iterable<ByteString> keys) {
        String refusal = refuseTxn(context);
        if (refusal == null && mode == ApiMode.V2) {
            for (ByteString key : keys) {
                if (!isOf(txnKeys(context), key)) {
                    return wrongKey();
                }
            }
        }
        return refusal;
    }

    /** Why a transactional request on a range is refused; null when it is not. */
    @Nullable String refuseTxnRange(Context context, ByteString start, ByteString end) {
        String refusal = refuseTxn(context);
        boolean misplaced =
                refusal == null && mode == ApiMode.V2 && !isOf(txnKeys(context), start, end);
        return misplaced ? wrongRange() : refusal;
    }

    private static String txnKeys(Context context) {
        return context.getApiVersion() == APIVersion.V2 ? TXN : TIDB;
    }

    private static boolean isOf(String firstBytes, ByteString key) {
        return !key.isEmpty() && firstBytes.indexOf(key.byteAt(0)) >= 0;
    }

    /** A range ends among its own keys, or with the byte that follows theirs. */
    private static boolean isOf(String firstBytes, ByteString start, ByteString end) {
        if (!isOf(firstBytes, start) || end.isEmpty()) {
            return false;
        }
        return start.byteAt(0) == end.byteAt(0)
                || (end.size() == 1 && end.byteAt(0) == start.byteAt(0) + 1);
    }

    /** Why a key cannot be written; null when it can. */
    static @Nullable String refuseKeySize(int bytes) {
        return bytes <= KEY_BYTES_MAX
                ? null
                : "max key size exceeded, size: " + bytes + ", limit: " + KEY_BYTES_MAX;
    }

    static void checkRawKey(ByteString key) {
        String refusal = refuseKeySize(key.size());
        if (refusal != null) {
            throw new RawException(refusal);
        }
    }

    private String wrongKey() {
        return "Key mode mismatched with the request mode, storage: "
                + mode
                + ": a key begins with r (raw) or x (transactional) and its keyspace";
    }

    private String wrongRange() {
        return "Key range mode mismatched with the request mode, storage: "
                + mode
                + ": name both bounds, with r (raw) or x (transactional) and the keyspace";
    }

    private String mismatch(Context context) {
        return "Api version in request does not match with TiKV storage, storage: "
                + mode
                + ", request: "
                + context.getApiVersion();
    }
}
