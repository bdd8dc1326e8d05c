package io.tidekv.objects.gc;

/**
 * A cycle of the collector has ended early and deleted nothing from then on: the message says why
 * and what to do. The next cycle begins anew.
 */
public final class CollectionStopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CollectionStopped(String message) {
        super(message);
    }

    public CollectionStopped(String message, Throwable cause) {
        super(message, cause);
    }
}
