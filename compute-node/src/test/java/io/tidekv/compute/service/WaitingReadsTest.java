package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WouldBlock;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads of a region of which a part is not on the local disk. */
class WaitingReadsTest {
    private static final byte[] HERE = {1};
    private static final byte[] AWAY = {2};

    private final ExecutorService workers =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "worker"));
    private final ThreadScheduler scheduler = new ThreadScheduler("waiting-reads");
    private final Runner runner =
            new Runner(
                    new MemoryRegions(7, 1),
                    KvSettings.of(ApiMode.V1),
                    SystemClock.INSTANCE,
                    scheduler,
                    workers);
    private final AtomicInteger closed = new AtomicInteger();

    @AfterEach
    void close() {
        runner.close();
        scheduler.close();
    }

    /** Answers with the name of the thread that reads; {@link #AWAY} has to be waited for. */
    private final class View implements KvSnapshot {
        private boolean waits = true;

        @Override
        public byte[] get(Cf cf, byte[] key) {
            if (key == AWAY && !waits) {
                throw new WouldBlock();
            }
            return Thread.currentThread().getName().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public KvIterator iterator(Cf cf, byte[] lower, byte[] upper) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void waits(boolean on) {
            waits = on;
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }

    private final class Partly implements RegionAccess.Region {
        @Override
        public RegionShape shape() {
            return RegionShape.getDefaultInstance();
        }

        @Override
        public long term() {
            return 1;
        }

        @Override
        public CompletableFuture<KvSnapshot> read(long version) {
            return CompletableFuture.completedFuture(new View());
        }

        @Override
        public CompletableFuture<Void> write(long version, WriteBatchBuilder batch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<List<RegionShape>> split(long version, List<byte[]> keys) {
            throw new UnsupportedOperationException();
        }
    }

    private String readBy(byte[] key) {
        byte[] name =
                runner.readTarget(
                                Target.of(new Partly()),
                                Runner.Cost.POINT,
                                view -> view.get(Cf.DEFAULT, key))
                        .orTimeout(10, TimeUnit.SECONDS)
                        .join();
        return new String(name, StandardCharsets.UTF_8);
    }

    @Test
    void onlyReadsThatHaveToWaitChangeTheThread() {
        assertThat(readBy(HERE)).isEqualTo(Thread.currentThread().getName());
        assertThat(closed).hasValue(1);
        assertThat(readBy(AWAY)).isEqualTo("worker");
        // Closed by the worker behind the answer at the latest.
        workers.shutdown();
        assertThat(isDone(workers)).isTrue();
        assertThat(closed).hasValue(2);
    }

    private static boolean isDone(ExecutorService workers) {
        try {
            return workers.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
