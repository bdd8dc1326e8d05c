package io.tidekv.wal.archive;

import io.tidekv.common.Threads;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.wal.core.Committed;
import io.tidekv.wal.service.SegmentArchive;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.SealedSegment;
import io.tidekv.wal.storage.StorageDamageException;
import io.tidekv.wal.storage.WalFiles;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ships what the writer offers, oldest first, and deletes what has become too old. Its thread
 * begins with the first offer. What fails is repeated for ever: nothing is passed over.
 */
public final class Archiver implements SegmentArchive, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Archiver.class);
    private static final long FIRST_PAUSE_MS = 200;
    private static final long LAST_PAUSE_MS = 30_000;
    private static final Duration PRUNE_PAUSE = Duration.ofMinutes(10);

    private final WalFiles files;
    private final Supplier<NodeIdentity> identity;
    private final ObjectStore store;
    private final ArchiveOptions options;
    private final Clock clock;
    private final ArchiveMetrics metrics;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private List<SealedSegment> offered = List.of();
    private List<Committed> committed = List.of();
    private long waitingSinceNanos;
    private @Nullable Thread thread;
    private @Nullable StorageDamageException damage;
    private boolean closed;
    // Only used by the thread.
    private final KnownCommits commits = new KnownCommits();
    private @Nullable SegmentShipper shipper;
    private @Nullable Long prunedNanos;

    private volatile long firstWanted;
    private volatile String problem = "";

    /**
     * Closes {@code store} with itself.
     *
     * @param files the node's folder, for this object alone
     * @param identity of the node; nothing is shipped before it is registered
     */
    public Archiver(
            WalFiles files,
            Supplier<NodeIdentity> identity,
            ObjectStore store,
            ArchiveOptions options,
            Clock clock,
            Metrics metrics) {
        this.files = files;
        this.identity = identity;
        this.store = store;
        this.options = options;
        this.clock = clock;
        this.metrics = new ArchiveMetrics(metrics, this::lagBytes, this::lagSeconds);
    }

    @Override
    public long firstWanted() {
        return firstWanted;
    }

    @Override
    public Duration interval() {
        return options.interval();
    }

    @Override
    public void offer(List<SealedSegment> segments, List<Committed> nowCommitted) {
        lock.lock();
        try {
            if (lagBytes() == 0) {
                waitingSinceNanos = clock.monotonicNanos();
            }
            offered = segments;
            committed = nowCommitted;
            damage = null;
            if (thread == null && !closed && !segments.isEmpty()) {
                thread = Threads.start("wal-archive", this::run);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public @Nullable StorageDamageException takeDamage() {
        lock.lock();
        try {
            StorageDamageException found = damage;
            damage = null;
            return found;
        } finally {
            lock.unlock();
        }
    }

    /** Why nothing is shipped; empty when all is well. */
    public String problem() {
        return problem;
    }

    /** Bytes of full segments that are not in the archive. */
    public long lagBytes() {
        lock.lock();
        try {
            return offered.stream()
                    .filter(segment -> segment.number() >= firstWanted)
                    .mapToLong(SealedSegment::length)
                    .sum();
        } finally {
            lock.unlock();
        }
    }

    /** How long nothing has been shipped although segments wait. */
    private double lagSeconds() {
        lock.lock();
        try {
            return lagBytes() == 0 ? 0 : (clock.monotonicNanos() - waitingSinceNanos) / 1e9;
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        long pauseMs = FIRST_PAUSE_MS;
        try {
            while (true) {
                SealedSegment segment = next();
                if (segment == null) {
                    return;
                }
                if (shipped(segment)) {
                    pauseMs = FIRST_PAUSE_MS;
                    problem = "";
                } else {
                    metrics.failures.inc();
                    if (!pause(pauseMs)) {
                        return;
                    }
                    pauseMs = Math.min(LAST_PAUSE_MS, 2 * pauseMs);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for a segment that is to be shipped; null at the end. */
    private @Nullable SealedSegment next() throws InterruptedException {
        lock.lock();
        try {
            while (!closed) {
                for (SealedSegment segment : offered) {
                    if (segment.number() >= firstWanted) {
                        commits.learn(committed);
                        return segment;
                    }
                }
                changed.await();
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    private boolean pause(long millis) throws InterruptedException {
        lock.lock();
        try {
            long nanos = millis * 1_000_000;
            while (nanos > 0 && !closed) {
                nanos = changed.awaitNanos(nanos);
            }
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    private boolean shipped(SealedSegment segment) {
        try {
            SegmentShipper current = shipper();
            if (current == null) {
                return failed("this node is not registered at PD yet", null);
            }
            long before = current.bytesShipped();
            if (current.ship(segment)) {
                metrics.segments.inc();
                metrics.bytes.inc(current.bytesShipped() - before);
            }
            done(segment);
            current.forgetBefore(segment.number());
            prune(current, segment);
            return true;
        } catch (StorageDamageException e) {
            return damaged(segment, e);
        } catch (NoSuchFileException e) {
            return failed("a segment that is to be archived is gone: " + e.getMessage(), null);
        } catch (IOException e) {
            return failed("a segment cannot be read: " + e, e);
        } catch (ObjectStoreException e) {
            return failed("the archive does not take the log: " + e.getMessage(), null);
        } catch (RuntimeException e) {
            return failed("the log cannot be archived: " + e, e);
        }
    }

    private @Nullable SegmentShipper shipper() {
        SegmentShipper current = shipper;
        NodeIdentity self = identity.get();
        if (current == null && self.registered()) {
            ObjectStore cluster = ArchiveNames.ofCluster(store, self.clusterId());
            current = new SegmentShipper(files, self, cluster, options.partBytes(), commits);
            shipper = current;
        }
        return current;
    }

    private void done(SealedSegment segment) {
        lock.lock();
        try {
            firstWanted = segment.number() + 1;
            waitingSinceNanos = clock.monotonicNanos();
        } finally {
            lock.unlock();
        }
    }

    /** The writer repairs what is damaged, and then offers what has taken its place. */
    private boolean damaged(SealedSegment segment, StorageDamageException e) {
        lock.lock();
        try {
            if (offered.contains(segment)) {
                damage = e;
            }
        } finally {
            lock.unlock();
        }
        return failed("a segment that is to be archived is damaged: " + e.getMessage(), null);
    }

    private boolean failed(String what, @Nullable Exception cause) {
        if (!problem.equals(what)) {
            problem = what;
            log.warn("{}; trying on, and keeping the segments meanwhile", what, cause);
        }
        return false;
    }

    private void prune(SegmentShipper current, SealedSegment newest) {
        long now = clock.monotonicNanos();
        Long last = prunedNanos;
        boolean off = options.retention().isZero();
        if (!off && (last == null || now - last >= PRUNE_PAUSE.toNanos())) {
            metrics.pruned.inc(current.prune(newest, options.retention().toMillis()));
            prunedNanos = now;
        }
    }

    /** What is being shipped is given up: the next start does it again. */
    @Override
    public void close() throws InterruptedException {
        Thread running;
        lock.lock();
        try {
            closed = true;
            running = thread;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (running != null) {
            running.interrupt();
            running.join(2000);
        }
        store.close();
    }
}
