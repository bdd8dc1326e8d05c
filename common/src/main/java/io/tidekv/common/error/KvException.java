package io.tidekv.common.error;

/**
 * Carries a {@link KvError} up to the edge, where it becomes a region error. Has no stack trace: it
 * is an outcome.
 */
public final class KvException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient KvError error;

    public KvException(KvError error) {
        super(error.message(), null, false, false);
        this.error = error;
    }

    public KvError error() {
        return error;
    }
}
