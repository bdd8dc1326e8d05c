package io.tidekv.objects.worker;

import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;

/** One check of an object store, on the caller's thread. */
public final class Scrub {
    private Scrub() {}

    /**
     * Reads all records and compares what they name with its checksums. A store that does not
     * answer ends the check early: {@link ScrubReport#stoppedBy} then says why.
     *
     * @param clusterId 0 = every cluster in the store
     * @param bytesPerSecond of contents; 0 = only existence and length are checked
     */
    public static ScrubReport once(
            ObjectStore store, long clusterId, long bytesPerSecond, StoreContext context)
            throws InterruptedException {
        return new Scrubber(store, clusterId, bytesPerSecond, context).run();
    }
}
