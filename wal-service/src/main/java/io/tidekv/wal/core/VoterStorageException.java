package io.tidekv.wal.core;

import io.tidekv.proto.wal.WalErrorCode;

/**
 * Why the storage refused. {@code DISK_FULL}: nothing was written, other requests may still
 * succeed. {@code STORAGE_FAILED}: what is durable is not known any more; the node builds a new
 * {@link VoterNode} from a fresh recovery.
 */
public final class VoterStorageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final WalErrorCode code;

    private VoterStorageException(WalErrorCode code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    private VoterStorageException(WalErrorCode code, String message) {
        super(message);
        this.code = code;
    }

    /** There is no space; nothing was written. */
    public static VoterStorageException full(String message) {
        return new VoterStorageException(WalErrorCode.DISK_FULL, message);
    }

    /** The storage does not know any more what it holds. */
    public static VoterStorageException failed(String message, Throwable cause) {
        return new VoterStorageException(WalErrorCode.STORAGE_FAILED, message, cause);
    }

    /** {@code DISK_FULL} or {@code STORAGE_FAILED}. */
    public WalErrorCode code() {
        return code;
    }
}
