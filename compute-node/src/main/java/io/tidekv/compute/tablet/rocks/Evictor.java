package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.tablet.rocks.LocalFiles.Resident;
import io.tidekv.objects.hydrate.SstCache;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the local disk within its budget. Tablets hold links to cached files, so the cache alone
 * could free nothing: here the files that are read least, of all tablets together, are given up,
 * lowest level first among equals. Readers are never disturbed. Runs on a thread of its own.
 */
final class Evictor {
    private static final Logger log = LoggerFactory.getLogger(Evictor.class);
    private static final Duration AGAIN = Duration.ofSeconds(1);

    private final SstCache cache;
    private final Collection<RocksTablet> tablets;
    private final Executor thread;
    private final Scheduler scheduler;
    private final AtomicBoolean awake = new AtomicBoolean();

    private record Victim(RocksTablet tablet, Resident resident) {}

    Evictor(SstCache cache, Collection<RocksTablet> tablets, Executor thread, Scheduler scheduler) {
        this.cache = cache;
        this.tablets = tablets;
        this.thread = thread;
        this.scheduler = scheduler;
    }

    /** There is more than there should be. Never blocks. */
    void wake() {
        if (awake.compareAndSet(false, true)) {
            try {
                thread.execute(this::run);
            } catch (RejectedExecutionException e) {
                awake.set(false);
            }
        }
    }

    private void run() {
        try {
            evict(cache.excessBytes());
            cache.evict();
        } finally {
            awake.set(false);
        }
        // What is left was used just now, or readers that are open hold it.
        if (cache.excessBytes() > 0) {
            scheduler.after(AGAIN, this::wake);
        }
    }

    /** Gives up files of at least so many bytes, if there are. */
    void evict(long bytes) {
        if (bytes <= 0) {
            return;
        }
        List<Victim> coldest = new ArrayList<>();
        for (RocksTablet tablet : tablets) {
            if (tablet.instance().tryUse()) {
                try {
                    for (Resident resident : tablet.files().residents()) {
                        coldest.add(new Victim(tablet, resident));
                    }
                } finally {
                    tablet.instance().release();
                }
            }
        }
        coldest.sort(
                Comparator.comparingInt((Victim victim) -> victim.resident().heat())
                        .thenComparingInt(victim -> -victim.resident().file().level()));
        Map<RocksTablet, List<Long>> chosen = new LinkedHashMap<>();
        long left = bytes;
        for (Victim victim : coldest) {
            if (left <= 0) {
                break;
            }
            left -= victim.resident().bytes();
            chosen.computeIfAbsent(victim.tablet(), tablet -> new ArrayList<>())
                    .add(victim.resident().file().number());
        }
        chosen.forEach(Evictor::give);
    }

    private static void give(RocksTablet tablet, List<Long> numbers) {
        if (!tablet.instance().tryUse()) {
            return;
        }
        try {
            tablet.files().evict(numbers);
            tablet.instance().dropReaders();
        } catch (RocksDBException e) {
            log.warn(
                    "readers of region {} keep files that were given up: {}",
                    tablet.regionId(),
                    Failures.describe(e));
        } finally {
            tablet.instance().release();
        }
    }
}
