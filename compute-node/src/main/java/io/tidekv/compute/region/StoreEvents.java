package io.tidekv.compute.region;

/** What the process is told by its store. Called on any thread; must be short. */
public interface StoreEvents {
    /** Another process has taken this store's place. Nothing is served any more: end. */
    void onFenced(String reason);

    /** The store cannot go on, and cannot tell its regions to others: end. */
    void onFatal(String reason);
}
