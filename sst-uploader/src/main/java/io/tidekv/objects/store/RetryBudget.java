package io.tidekv.objects.store;

/**
 * Bounds repeated calls to a share of all calls, so that a store in trouble is not hit harder by
 * everybody's retries. Thread-safe.
 */
final class RetryBudget {
    private final double capacity;
    private final double perSuccess;
    private double tokens;

    /** A retry takes one token; a call that succeeds gives {@code perSuccess} back. */
    RetryBudget(int capacity, double perSuccess) {
        this.capacity = capacity;
        this.perSuccess = perSuccess;
        this.tokens = capacity;
    }

    synchronized boolean tryTake() {
        if (tokens < 1) {
            return false;
        }
        tokens -= 1;
        return true;
    }

    synchronized void succeeded() {
        tokens = Math.min(capacity, tokens + perSuccess);
    }
}
