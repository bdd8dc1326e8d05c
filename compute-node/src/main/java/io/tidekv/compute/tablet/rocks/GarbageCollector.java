package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.codec.CodecException;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.tablet.garbage.Deletions;
import io.tidekv.compute.tablet.garbage.Sweep;
import io.tidekv.compute.tablet.garbage.Sweeps;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what nobody can read any more, in slices with pauses between them, on the pool of the
 * compactions. The deletions are no log entries: they change no answer, so a successor that opens
 * an older record only has the work to do again. A tablet is passed over when the last pass has
 * left nothing for a higher safe point or a later time, and little has been written since: then it
 * costs no read.
 */
final class GarbageCollector {
    private static final Logger log = LoggerFactory.getLogger(GarbageCollector.class);
    private static final int SLICE_ROWS = 10_000;
    private static final int BATCH_BYTES = 128 << 10;
    private static final Duration PAUSE = Duration.ofMillis(50);

    /** A pass is worth it from so many bytes of log entries on, or a share of the tablet. */
    private static final long WRITTEN_MIN = 1 << 20;

    private static final int WRITTEN_SHARE = 10;

    /** Tables are rewritten without their garbage when it is one in so many rows, and a few. */
    private static final int GARBAGE_SHARE = 4;

    private static final int GARBAGE_MIN = 1000;
    private static final byte[] EVERYTHING = {};

    private final ApiMode mode;
    private final Executor pool;
    private final Scheduler scheduler;
    private final Clock clock;
    private final AtomicLong rowsDropped = new AtomicLong();

    GarbageCollector(ApiMode mode, Executor pool, Scheduler scheduler, Clock clock) {
        this.mode = mode;
        this.pool = pool;
        this.scheduler = scheduler;
        this.clock = clock;
    }

    /** What a tablet remembers of its passes. */
    static final class History {
        private boolean running;
        private boolean known;
        private boolean rewrite;
        private long safePoint;
        private long appliedBytes;
        private long later;
        private long endsAtSeconds;

        /**
         * @param endsAtSeconds when the next pass is due, as far as one before has found out;
         *     MAX_VALUE: not by time
         */
        History(long endsAtSeconds) {
            this.endsAtSeconds = endsAtSeconds;
        }

        synchronized long endsAtSeconds() {
            return endsAtSeconds;
        }

        private synchronized boolean begin(
                RocksTablet tablet, long newSafePoint, long nowSeconds, ApiMode mode) {
            if (running) {
                return false;
            }
            boolean moved = mode != ApiMode.V1 || Ts.less(safePoint, newSafePoint);
            long bytes = tablet.publication().appliedBytes() - appliedBytes;
            // What a tablet holds that ends by time is looked up once, when it costs no fetch.
            boolean due =
                    nowSeconds >= endsAtSeconds
                            || (mode != ApiMode.V1 && !known && tablet.hydrated())
                            || (later > 0 && Ts.less(safePoint, newSafePoint))
                            || (moved && bytes >= threshold(tablet));
            running = due;
            return due;
        }

        private static long threshold(RocksTablet tablet) {
            long size = tablet.approximateBytes(EVERYTHING, EVERYTHING);
            return Math.max(WRITTEN_MIN, size / WRITTEN_SHARE);
        }

        private synchronized void done(Pass pass) {
            running = false;
            known = true;
            safePoint = pass.safePoint;
            appliedBytes = pass.appliedBytes;
            later = pass.sweeps.stream().mapToLong(Sweep::later).sum();
            endsAtSeconds =
                    pass.sweeps.stream()
                            .mapToLong(Sweep::endsAtSeconds)
                            .min()
                            .orElse(Long.MAX_VALUE);
        }

        /** Whether tables are to be rewritten; asked by who then does it. */
        synchronized boolean takeRewrite() {
            boolean due = rewrite;
            rewrite = false;
            return due;
        }

        synchronized boolean wantsRewrite() {
            return rewrite;
        }

        private synchronized void rewrite() {
            rewrite = true;
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
        private final List<Sweep> sweeps;
        private int sweep;
        private long seen;
        private byte @Nullable [] next;

        private Pass(RocksTablet tablet, long safePoint) {
            this.tablet = tablet;
            this.safePoint = safePoint;
            this.appliedBytes = tablet.publication().appliedBytes();
            this.sweeps = Sweeps.of(mode, safePoint, clock.wallMillis());
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
                more = slice(sweeps.get(sweep));
                good = true;
            } catch (KvException | CodecException e) {
                log.info(
                        "what region {} needs no more stays for now: {}",
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
                ended();
            }
        }

        private void ended() {
            sweep++;
            next = null;
            if (sweep < sweeps.size()) {
                submit();
                return;
            }
            long dropped = sweeps.stream().mapToLong(Sweep::dropped).sum();
            log.debug("region {}: {} of {} rows dropped", tablet.regionId(), dropped, seen);
            rowsDropped.addAndGet(dropped);
            if (dropped >= GARBAGE_MIN && dropped * GARBAGE_SHARE >= seen) {
                // The publication flushes the deletions and has the tables rewritten.
                tablet.garbage().rewrite();
                tablet.publication().changedBeside();
            }
            tablet.garbage().done(this);
        }

        /** Says whether there are rows left. */
        private boolean slice(Sweep through) {
            try (KvSnapshot snapshot = tablet.snapshot(tablet.state().shape());
                    KvIterator rows =
                            snapshot.iterator(through.cf(), through.from(), through.to())) {
                Deletions deletions = new Deletions();
                if (next == null) {
                    rows.seekToFirst();
                } else {
                    rows.seek(next);
                }
                for (int row = 0; rows.isValid() && row < SLICE_ROWS; row++) {
                    through.row(rows.key(), rows.value(), deletions);
                    if (deletions.sizeBytes() >= BATCH_BYTES) {
                        tablet.amend(deletions);
                        deletions = new Deletions();
                    }
                    rows.next();
                    seen++;
                }
                boolean more = rows.isValid();
                if (more) {
                    next = rows.key();
                } else {
                    through.finish(deletions);
                }
                tablet.amend(deletions);
                return more;
            }
        }
    }

    /** Rows of the passes that have ended, over all tablets. */
    long rowsDropped() {
        return rowsDropped.get();
    }

    /** Begins a pass in the background if one is due and none runs. Never waits for objects. */
    void consider(RocksTablet tablet, long safePoint) {
        long nowSeconds = clock.wallMillis() / 1000;
        if (tablet.garbage().begin(tablet, safePoint, nowSeconds, mode)) {
            new Pass(tablet, safePoint).submit();
        }
    }
}
