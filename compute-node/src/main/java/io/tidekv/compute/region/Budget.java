package io.tidekv.compute.region;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes that the whole store holds for its regions. Thread-safe. */
final class Budget {
    private final long proposalBytesMax;
    private final long unpublishedBytesMax;
    private final AtomicLong proposalBytes = new AtomicLong();
    private final AtomicLong unpublishedBytes = new AtomicLong();

    Budget(StoreOptions options) {
        proposalBytesMax = options.storeProposalBytes();
        unpublishedBytesMax = options.unpublishedBytesMax();
    }

    /** Takes room for a write; false, having taken nothing, when there is none. */
    boolean take(long bytes) {
        if (proposalBytes.addAndGet(bytes) > proposalBytesMax) {
            proposalBytes.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    void give(long bytes) {
        proposalBytes.addAndGet(-bytes);
    }

    /** A region's unpublished bytes have changed by so much. */
    void unpublished(long delta) {
        unpublishedBytes.addAndGet(delta);
    }

    /** No more writes until something has been published. */
    boolean isFull() {
        return unpublishedBytes.get() >= unpublishedBytesMax;
    }

    /** Publishing should not wait for the usual triggers any more. */
    boolean isTight() {
        return unpublishedBytes.get() >= unpublishedBytesMax / 2;
    }

    long proposalBytes() {
        return proposalBytes.get();
    }

    long unpublishedBytes() {
        return unpublishedBytes.get();
    }
}
