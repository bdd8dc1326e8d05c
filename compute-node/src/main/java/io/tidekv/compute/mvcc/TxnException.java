package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;

/** Carries a {@link TxnError} to where a response is made. Has no stack trace: it is an outcome. */
public final class TxnException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient TxnError error;

    public TxnException(TxnError error) {
        super(error.getClass().getSimpleName(), null, false, false);
        this.error = error;
    }

    /** The request cannot be carried out; the message says why and holds no user data. */
    public static TxnException abort(String message) {
        return new TxnException(new TxnError.Abort(message));
    }

    /** The transaction of {@code startTs} meets a version that stands in its way. */
    public static TxnException conflict(
            long startTs,
            Version with,
            TxnKey key,
            ByteString primary,
            TxnError.Conflict.Reason reason) {
        return new TxnException(
                new TxnError.Conflict(
                        startTs,
                        with.write().startTs(),
                        with.commitTs(),
                        key.raw(),
                        primary,
                        reason));
    }

    public TxnError error() {
        return error;
    }
}
