package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.time.Clock;
import java.time.Duration;
import org.rocksdb.RocksDBException;

/**
 * Flushes a tablet without ever waiting inside RocksDB: a waiting flush on a full disk hangs for
 * good, also when there is space again, while a further request starts one that failed anew. The
 * caller holds a use of the instance.
 */
final class Flusher {
    private static final Duration FIRST_REPEAT = Duration.ofSeconds(1);

    private final Clock clock;
    private final Duration deadline;

    Flusher(Clock clock, Duration deadline) {
        this.clock = clock;
        this.deadline = deadline;
    }

    /**
     * Returns once files hold everything that was written before the call. Throws RegionUnavailable
     * when that takes too long; nothing is lost then, and it can be called again.
     */
    void flush(RocksTablet tablet) {
        long index = tablet.written().index();
        long amendments = tablet.amendments();
        try {
            if (tablet.cells().persisted().covers(index, amendments)) {
                return;
            }
            request(tablet);
            Waiter waiter = new Waiter(clock, deadline);
            long repeatAfter = FIRST_REPEAT.toNanos();
            long requested = clock.monotonicNanos();
            while (!tablet.cells().persisted().covers(index, amendments)) {
                if (waiter.isOver()) {
                    throw hangs(tablet);
                }
                waiter.pause();
                boolean stuck = tablet.instance().property("rocksdb.num-running-flushes") == 0;
                if (stuck && clock.monotonicNanos() - requested >= repeatAfter) {
                    request(tablet);
                    requested = clock.monotonicNanos();
                    repeatAfter *= 2;
                }
            }
        } catch (RocksDBException e) {
            throw Failures.unavailable(tablet.regionId(), "cannot flush", e);
        }
    }

    private static void request(RocksTablet tablet) throws RocksDBException {
        Instance instance = tablet.instance();
        instance.db().flush(instance.shared().flushes(), instance.families());
    }

    private RuntimeException hangs(RocksTablet tablet) {
        Instance instance = tablet.instance();
        return Failures.unavailable(
                tablet.regionId(),
                "",
                "the flush did not end within "
                        + deadline
                        + ", background errors so far: "
                        + instance.property("rocksdb.background-errors")
                        + "; check the free space in "
                        + instance.folder().tables());
    }
}
