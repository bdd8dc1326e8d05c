package io.tidekv.compute.raw;

/** A raw request that is refused with a text; the text says what to do and holds no user data. */
public final class RawException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RawException(String message) {
        super(message, null, false, false);
    }

    /** The text for the response. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
