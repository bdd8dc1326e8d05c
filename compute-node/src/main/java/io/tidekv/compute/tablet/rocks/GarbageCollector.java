package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.codec.CodecException;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.tablet.garbage.VersionSweep;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes versions that nobody can read any more, in slices with pauses between them, on the pool
 * of the compactions. The deletions are no log entries: they change no answer, so a successor that
 * opens an older record only has the work to do again. A tablet is passed over when the last pass
 * has left nothing for a higher safe point and little has been written since: then it costs no
 * read.
 */
final class GarbageCollector {
    private static final Logger log = LoggerFactory.getLogger(GarbageCollector.class);
    private static final int SLICE_ROWS = 10_000;
    private static final int BATCH_BYTES = 128 << 10;
    private static final Duration PAUSE = Duration.ofMillis(50);

    /** A pass is worth it from so many bytes of log entries on, or a share of the tablet. */
    private static final long WRITTEN_MIN = 1 << 20;

    private static final int WRITTEN_SHARE = 10;
    private static final byte[] EVERYTHING = {};

    private final Executor pool;
    private final Scheduler scheduler;

    GarbageCollector(Executor pool, Scheduler scheduler) {
        this.pool = pool;
        this.scheduler = scheduler;
    }

    /** What a tablet remembers of its passes. */
    static final class History {
        private boolean running;
        private long safePoint;
        private long appliedBytes;
        private long later;

        private synchronized boolean begin(RocksTablet tablet, long newSafePoint) {
            long written = tablet.publication().appliedBytes() - appliedBytes;
            boolean due = later > 0 || written >= threshold(tablet);
            if (running || !due || !Ts.less(safePoint, newSafePoint)) {
                return false;
            }
            running = true;
            return true;
        }

        private static long threshold(RocksTablet tablet) {
            long size = tablet.approximateBytes(EVERYTHING, EVERYTHING);
            return Math.max(WRITTEN_MIN, size / WRITTEN_SHARE);
        }

        private synchronized void done(VersionSweep sweep, long atSafePoint, long atBytes) {
            running = false;
            safePoint = atSafePoint;
            appliedBytes = atBytes;
            later = sweep.later();
        }

        synchronized boolean isIdle() {
            return !running;
        }

        private synchronized void abandoned() {
            running = false;
        }
    }

    /** A pass under way and how far it is. */
    private final class Pass {
        private final RocksTablet tablet;
        private final long safePoint;
        private final long appliedBytes;
        private final VersionSweep sweep;
        private byte[] next = EVERYTHING;

        private Pass(RocksTablet tablet, long safePoint) {
            this.tablet = tablet;
            this.safePoint = safePoint;
            this.appliedBytes = tablet.publication().appliedBytes();
            this.sweep = new VersionSweep(safePoint);
        }

        private void submit() {
            try {
                pool.execute(this::run);
            } catch (RejectedExecutionException e) {
                tablet.garbage().abandoned();
            }
        }

        private void run() {
            boolean more = false;
            boolean good = false;
            try {
                more = slice();
                good = true;
            } catch (KvException | CodecException e) {
                log.info(
                        "old versions of region {} stay for now: {}",
                        tablet.regionId(),
                        e.getMessage());
            } finally {
                if (!good) {
                    tablet.garbage().abandoned();
                }
            }
            if (more) {
                scheduler.after(PAUSE, this::submit);
            } else if (good) {
                log.debug("region {}: {} old versions dropped", tablet.regionId(), sweep.dropped());
                tablet.garbage().done(sweep, safePoint, appliedBytes);
            }
        }

        /** Says whether there are rows left. */
        private boolean slice() {
            try (KvSnapshot snapshot = tablet.snapshot(tablet.state().shape());
                    KvIterator rows = snapshot.iterator(Cf.WRITE, null, null)) {
                WriteBatchBuilder batch = new WriteBatchBuilder();
                rows.seek(next);
                for (int row = 0; rows.isValid() && row < SLICE_ROWS; row++) {
                    sweep.row(rows.key(), rows.value(), batch);
                    if (batch.sizeBytes() >= BATCH_BYTES) {
                        tablet.amend(batch);
                        batch = new WriteBatchBuilder();
                    }
                    rows.next();
                }
                boolean more = rows.isValid();
                if (more) {
                    next = rows.key();
                } else {
                    sweep.finish(batch);
                }
                tablet.amend(batch);
                return more;
            }
        }
    }

    /** Begins a pass in the background if one is due and none runs. Never waits for objects. */
    void consider(RocksTablet tablet, long safePoint) {
        if (tablet.garbage().begin(tablet, safePoint)) {
            new Pass(tablet, safePoint).submit();
        }
    }
}
