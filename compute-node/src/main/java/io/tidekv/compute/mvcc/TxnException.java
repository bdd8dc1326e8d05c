package io.tidekv.compute.mvcc;

/** Carries a {@link TxnError} to where a response is made. Has no stack trace: it is an outcome. */
public final class TxnException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient TxnError error;

    public TxnException(TxnError error) {
        super(error.getClass().getSimpleName(), null, false, false);
        this.error = error;
    }

    public TxnError error() {
        return error;
    }
}
