package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.raw.RawException;
import io.tidekv.proto.kvrpcpb.APIVersion;
import io.tidekv.proto.kvrpcpb.Context;
import org.jspecify.annotations.Nullable;

/** Which requests a cluster of some API mode takes, as TiKV decides it. */
final class ApiChecks {
    /** TiKV's limit for keys as stored. */
    private static final int KEY_BYTES_MAX = 8 << 10;

    private final ApiMode mode;

    ApiChecks(ApiMode mode) {
        this.mode = mode;
    }

    /** Throws when the request speaks of another API version than the cluster has. */
    void checkRaw(Context context) {
        if (context.getApiVersion() != APIVersion.V1) {
            throw new RawException(mismatch(context));
        }
    }

    /** Why a transactional request is refused; null when it is not. */
    @Nullable String refuseTxn(Context context) {
        return mode == ApiMode.V1 && context.getApiVersion() == APIVersion.V1
                ? null
                : mismatch(context);
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

    private String mismatch(Context context) {
        return "Api version in request does not match with TiKV storage, storage: "
                + mode
                + ", request: "
                + context.getApiVersion();
    }
}
