package io.tidekv.compute.tablet.rocks;

import java.util.concurrent.atomic.AtomicInteger;
import org.rocksdb.Snapshot;

/**
 * A RocksDB snapshot with the use of the instance that it needs, shared by a snapshot of ours and
 * its iterators: released with the last of them, whatever the order in which they are closed.
 */
final class ReadView {
    private final Instance instance;
    private final LocalFiles files;
    private final boolean steady;
    private final Snapshot snapshot;
    private final AtomicInteger holders = new AtomicInteger(1);

    /**
     * @param instance with a use that passes to this view
     */
    ReadView(Instance instance, LocalFiles files) {
        this.instance = instance;
        this.files = files;
        this.steady = files.enterSteady();
        this.snapshot = instance.db().getSnapshot();
    }

    Instance instance() {
        return instance;
    }

    /** Whether every file is here, and stays for as long as this view does. */
    boolean isSteady() {
        return steady;
    }

    Snapshot snapshot() {
        return snapshot;
    }

    /** A further holder, added by one that has not released yet. */
    void hold() {
        holders.incrementAndGet();
    }

    void release() {
        if (holders.decrementAndGet() == 0) {
            instance.db().releaseSnapshot(snapshot);
            snapshot.close();
            if (steady) {
                files.leaveSteady();
            }
            instance.release();
        }
    }
}
