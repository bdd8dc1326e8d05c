package io.tidekv.wal.service;

import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.wal.storage.SegmentStore;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The voters of a node behind one writer. Thread-safe. */
public final class VoterService implements AutoCloseable {
    private final Inbox inbox;
    private final Writer writer;
    private final Thread thread;

    private VoterService(
            String name,
            SegmentStore store,
            ServiceOptions options,
            Clock clock,
            Randomness randomness,
            Metrics metrics,
            Reopening reopening,
            @Nullable SegmentArchive archive) {
        inbox = new Inbox(options.queuedBytesMax());
        writer =
                new Writer(
                        inbox,
                        store,
                        options,
                        clock,
                        randomness,
                        new WalMetrics(metrics),
                        reopening,
                        archive);
        metrics.gauge("tidekv_wal_queued_bytes", "Requests that wait.", () -> inbox.bytes());
        thread = Threads.start(name, writer);
    }

    /** Recovers the voters from {@code store}, which belongs to the service from here on. */
    public static VoterService start(
            String name,
            SegmentStore store,
            ServiceOptions options,
            Clock clock,
            Randomness randomness,
            Metrics metrics) {
        return start(name, store, options, clock, randomness, metrics, SegmentStore::reopen, null);
    }

    /**
     * As {@link #start}, with a way of its own to go on after a failure of the storage, and with an
     * archive, if there is one, which gets a copy of each segment before that is deleted.
     */
    public static VoterService start(
            String name,
            SegmentStore store,
            ServiceOptions options,
            Clock clock,
            Randomness randomness,
            Metrics metrics,
            Reopening reopening,
            @Nullable SegmentArchive archive) {
        return new VoterService(
                name, store, options, clock, randomness, metrics, reopening, archive);
    }

    /**
     * Queues requests of one sender. Each gets one response through {@code replies}, in order,
     * after all that it says is durable.
     *
     * @param bytes what the requests take up in memory
     */
    public void submit(Owner sender, List<WalRequest> requests, int bytes, Replies replies) {
        inbox.submit(sender, requests, bytes, replies, true);
    }

    /**
     * As {@link #submit}; while there is little to do, {@code here} may have to handle what has
     * come, and waits for the disk then.
     */
    public void submit(
            Owner sender, List<WalRequest> requests, int bytes, Replies replies, Executor here) {
        boolean light = writer.isLight() && bytes <= ServiceOptions.LIGHT_BYTES;
        inbox.submit(sender, requests, bytes, replies, !light);
        if (light) {
            here.execute(() -> writer.runHere(here));
        }
    }

    /** Whether the next requests may have to be handled by who brings them. */
    boolean isLight() {
        return writer.isLight();
    }

    /** Streams the committed entries of a region from index {@code from} on. */
    public Tail tail(long regionId, long from, TailSink sink) {
        TailFeed feed = new TailFeed(regionId, from, sink);
        inbox.run(() -> writer.addTail(feed));
        return new Tail() {
            @Override
            public void wake() {
                // Any round looks at all tails.
                inbox.run(() -> {});
            }

            @Override
            public void close() {
                inbox.run(() -> writer.removeTail(feed));
            }
        };
    }

    /** The counts as they are when the writer gets to it; never completes after {@link #close}. */
    public CompletableFuture<ServiceStatus> status() {
        CompletableFuture<ServiceStatus> status = new CompletableFuture<>();
        inbox.run(() -> status.complete(writer.status()));
        return status;
    }

    /** Bytes of requests that wait for the writer. */
    public long queuedBytes() {
        return inbox.bytes();
    }

    /** Why nothing is served; empty when all is well. */
    public String problem() {
        return writer.problem();
    }

    /** Whether entries are refused for want of space; all else is served. */
    public boolean isFull() {
        return writer.isFull();
    }

    /** Answers what has been submitted, then ends; waits at most 5 s for that. */
    @Override
    public void close() {
        inbox.close();
        try {
            thread.join(5000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
