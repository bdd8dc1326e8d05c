package io.tidekv.objects.crypto;

/** What was read is not what was sealed, or was sealed with another key. */
public final class SealBroken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SealBroken(String message) {
        super(message);
    }
}
