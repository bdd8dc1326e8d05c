package io.tidekv.objects.restore;

/** A cluster cannot be made as it was asked for. The message says why, and what can be done. */
public final class RestoreRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RestoreRefused(String message) {
        super(message);
    }
}
