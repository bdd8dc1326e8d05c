package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.objects.hydrate.SstCache;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches the files of opened tablets in the background, so that reads soon touch no object: one
 * tablet after the other, few files at a time, so that reads that wait for a file come first.
 */
final class Hydrator {
    private static final Logger log = LoggerFactory.getLogger(Hydrator.class);
    private static final int AT_ONCE = 2;
    private static final Duration FIRST_RETRY = Duration.ofSeconds(2);
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

    /** Tablets that are opened together run up so much debt, in all. */
    private static final Duration DEBT_MAX = Duration.ofSeconds(1);

    private final SstCache cache;
    private final Executor pool;
    private final Scheduler scheduler;
    private final Clock clock;
    private final long bytesPerSecond;

    /** Until then, what has been fetched has used up the rate. */
    private long paidUntilNanos;

    Hydrator(SstCache cache, Executor pool, Scheduler scheduler, Clock clock, long bytesPerSecond) {
        this.cache = cache;
        this.pool = pool;
        this.scheduler = scheduler;
        this.clock = clock;
        this.bytesPerSecond = bytesPerSecond;
        this.paidUntilNanos = clock.monotonicNanos();
    }

    /** Goes on until every file is here or the tablet is closed. Never blocks. */
    void enqueue(RocksTablet tablet) {
        enqueue(tablet, FIRST_RETRY);
    }

    private void enqueue(RocksTablet tablet, Duration retry) {
        if (tablet.instance().closing()) {
            return;
        }
        try {
            pool.execute(() -> run(tablet, retry));
        } catch (RejectedExecutionException e) {
            later(tablet, retry);
        }
    }

    /** A few files, then the other tablets' turn. */
    private void run(RocksTablet tablet, Duration retry) {
        if (!tablet.instance().tryUse()) {
            return;
        }
        try {
            List<FileIndex.File> missing = missing(tablet.files());
            if (missing.isEmpty()) {
                return;
            }
            Duration debt = debt();
            if (debt.compareTo(DEBT_MAX) > 0) {
                scheduler.after(debt, () -> enqueue(tablet));
                return;
            }
            List<FileIndex.File> next = missing.subList(0, Math.min(AT_ONCE, missing.size()));
            long bytes = 0;
            for (FileIndex.File file : next) {
                bytes += cache.ifPresent(file.object()) == null ? file.object().getLength() : 0;
            }
            if (!cache.hasRoom(bytes)) {
                // What reads want replaces what they do not; guesses replace nothing.
                later(tablet, LONGEST_RETRY);
                return;
            }
            Duration pause = pay(bytes);
            tablet.files().fetch(next);
            if (next.size() < missing.size()) {
                scheduler.after(pause, () -> enqueue(tablet));
            }
        } catch (KvException e) {
            String message = "hydration of region {} goes on in {}: {}";
            if (retry.equals(FIRST_RETRY)) {
                log.info(message, tablet.regionId(), retry, e.getMessage());
            } else {
                log.debug(message, tablet.regionId(), retry, e.getMessage());
            }
            later(tablet, retry);
        } finally {
            tablet.instance().release();
        }
    }

    /** How long to wait so that all tablets together keep to the rate. */
    private synchronized Duration pay(long bytes) {
        long cost = (long) (bytes * 1e9 / bytesPerSecond);
        paidUntilNanos = clock.monotonicNanos() + debt().toNanos() + cost;
        return debt();
    }

    private synchronized Duration debt() {
        return Duration.ofNanos(Math.max(0, paidUntilNanos - clock.monotonicNanos()));
    }

    /** Level 0 first, which every read wants all of, then what was read most when it was here. */
    private static List<FileIndex.File> missing(LocalFiles files) {
        List<FileIndex.File> missing = files.missing();
        missing.sort(
                Comparator.comparingInt((FileIndex.File file) -> Math.min(1, file.level()))
                        .thenComparingInt(file -> -files.heat(file)));
        return missing;
    }

    private void later(RocksTablet tablet, Duration retry) {
        Duration doubled = retry.multipliedBy(2);
        Duration next = doubled.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : doubled;
        scheduler.after(retry, () -> enqueue(tablet, next));
    }
}
