package io.tidekv.cli.client;

/** The cluster answered that it cannot do what was asked, or not within the time allowed. */
public final class KvFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KvFailure(String message) {
        super(message);
    }

    public KvFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
