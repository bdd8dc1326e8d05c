package io.tidekv.compute.service;

/** A request that this server does not serve in this form; the text says what to do instead. */
public final class UnsupportedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnsupportedException(String message) {
        super(message, null, false, false);
    }

    /** The text for the client. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
