package io.tidekv.compute.region;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.compute.compaction.CompactionOptions;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.pd.MemoryPd;
import io.tidekv.compute.pd.MemoryPdLink;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.region.EntryKind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Stores, WAL nodes, PD and an object store in one process. */
final class TestCluster implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    static final long CLUSTER_ID = 77;
    static final int LARGE_ROWS = 50;
    private static final int LARGE_ROW_BYTES = 100_000;

    final Faults faults = new Faults(Randomness.seeded(1));
    final FaultyObjectStore bucket =
            new FaultyObjectStore(new MemoryObjectStore(), faults, Sleeper.real());
    final ThreadScheduler scheduler = new ThreadScheduler("test-timer");
    final TwinWal wal = new TwinWal(3, SystemClock.INSTANCE);
    final MemoryPd pd;
    private final List<Node> nodes = new CopyOnWriteArrayList<>();

    /** Short leases, and nothing happens by size or age. */
    static final StoreOptions OPTIONS = options();

    private static StoreOptions options() {
        LeaderOptions leader = LeaderOptions.defaults();
        StoreOptions base = StoreOptions.defaults();
        return new StoreOptions(
                2,
                2,
                2,
                new LeaderOptions(
                        800,
                        80,
                        250,
                        leader.retryMs(),
                        leader.failedRetryMs(),
                        leader.windowBytes(),
                        leader.appendBytes(),
                        leader.inFlightBytes(),
                        leader.readBytes()),
                base.regionProposalBytes(),
                base.storeProposalBytes(),
                base.entryBytesMax(),
                base.joinBytes(),
                base.unpublishedBytesMax(),
                Long.MAX_VALUE,
                Duration.ofHours(1),
                0,
                0,
                Duration.ofSeconds(5),
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                base.tabletsKept(),
                base.tabletIdle());
    }

    TestCluster() {
        pd = new MemoryPd(CLUSTER_ID, 1, wal.list(), SystemClock.INSTANCE, scheduler);
    }

    /** One process. */
    final class Node implements AutoCloseable {
        final MemoryPdLink link = pd.link();
        final RegisterStoreResponse registered;
        final TabletStore tablets;
        final Metrics metrics = new Metrics();
        final CompactionBoard compactions = new CompactionBoard(CompactionOptions.DEFAULT, metrics);
        final RegionStore store;
        final AtomicReference<String> ended = new AtomicReference<>();
        private boolean closed;

        Node(String address, StoreOptions options, Clock clock, @Nullable TabletStore given) {
            tablets =
                    given == null
                            ? new MemoryTabletStore(
                                    CLUSTER_ID, 1, bucket, Randomness.seeded(nodes.size()))
                            : given;
            registered =
                    link.register(
                            RegisterStoreRequest.newBuilder()
                                    .setAddress(address)
                                    .setApiMode(1)
                                    .build(),
                            Duration.ofSeconds(10));
            store =
                    RegionStore.start(
                            new RegionStore.Parts(
                                    CLUSTER_ID,
                                    registered.getOwner(),
                                    1,
                                    options,
                                    link,
                                    wal.factory(registered.getOwner()),
                                    tablets,
                                    StoreStats::getDefaultInstance,
                                    metrics,
                                    clock,
                                    scheduler,
                                    new StoreEvents() {
                                        @Override
                                        public void onFenced(String reason) {
                                            ended.set("fenced: " + reason);
                                        }

                                        @Override
                                        public void onFatal(String reason) {
                                            ended.set("fatal: " + reason);
                                        }
                                    },
                                    compactions));
        }

        long id() {
            return registered.getOwner().getStoreId();
        }

        /** From now on nobody hears this process, and it hears nobody. */
        void isolate() {
            link.cut(true);
            wal.mute(registered.getOwner(), true);
        }

        void reconnect() {
            link.cut(false);
            wal.mute(registered.getOwner(), false);
        }

        /** As kill -9: nothing is released or reported. */
        void kill() {
            isolate();
            closed = true;
        }

        RegionAccess.Region region(long regionId) {
            return store.region(regionId);
        }

        @Override
        public void close() {
            closed = true;
            store.close();
        }
    }

    Node start(String address) {
        return start(address, OPTIONS);
    }

    Node start(String address, StoreOptions options) {
        return start(address, options, SystemClock.INSTANCE);
    }

    Node start(String address, StoreOptions options, Clock clock) {
        return start(address, options, clock, null);
    }

    /** With tablets that stay the caller's; null: in memory. */
    Node start(String address, StoreOptions options, Clock clock, @Nullable TabletStore tablets) {
        Node node = new Node(address, options, clock, tablets);
        nodes.add(node);
        return node;
    }

    long onlyRegion() {
        await().atMost(PATIENCE).until(() -> !pd.regionIds().isEmpty());
        return pd.regionIds().get(0);
    }

    /** Waits until PD has heard that {@code node} leads the region. */
    void awaitLeading(long regionId, Node node) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> {
                            RegionReport report = pd.report(regionId);
                            return report != null
                                    && report.getState() == RegionState.LEADING
                                    && pd.owner(regionId).getStoreId() == node.id();
                        });
    }

    static void put(RegionAccess.Region region, String key, String value) throws Exception {
        write(region, region.shape().getVersion(), key, value).get(60, TimeUnit.SECONDS);
    }

    static CompletableFuture<Void> write(
            RegionAccess.Region region, long version, String key, String value) {
        return region.write(
                version, new WriteBatchBuilder().put(Cf.DEFAULT, bytes(key), bytes(value)));
    }

    /** Many rows in one entry of several megabytes. */
    static Future<?> large(RegionAccess.Region region, String name) {
        WriteBatchBuilder batch = new WriteBatchBuilder();
        for (int i = 0; i < LARGE_ROWS; i++) {
            batch.put(Cf.DEFAULT, bytes(name + i), new byte[LARGE_ROW_BYTES]);
        }
        return region.write(region.shape().getVersion(), batch);
    }

    /** How many rows of it are there. */
    static int largeRows(RegionAccess.Region region, String name) throws Exception {
        int rows = 0;
        try (KvSnapshot snapshot =
                region.read(region.shape().getVersion()).get(60, TimeUnit.SECONDS)) {
            for (int i = 0; i < LARGE_ROWS; i++) {
                byte[] value = snapshot.get(Cf.DEFAULT, bytes(name + i));
                rows += value != null && value.length == LARGE_ROW_BYTES ? 1 : 0;
            }
        }
        return rows;
    }

    static String get(RegionAccess.Region region, String key) throws Exception {
        try (KvSnapshot snapshot =
                region.read(region.shape().getVersion()).get(60, TimeUnit.SECONDS)) {
            byte[] value = snapshot.get(Cf.DEFAULT, bytes(key));
            return value == null ? null : new String(value, StandardCharsets.UTF_8);
        }
    }

    /** The region that serves a key, wherever it is now. */
    RegionAccess.Region find(String key) {
        for (Node node : nodes) {
            if (node.closed) {
                continue;
            }
            for (RegionAccess.Region region : node.store.regions()) {
                if (RegionRange.contains(region.shape(), ByteString.copyFromUtf8(key))) {
                    return region;
                }
            }
        }
        return null;
    }

    /** Writes as a client does: looks again for the region after an error that passes. */
    void putAnywhere(String key, String value) {
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .until(
                        () -> {
                            RegionAccess.Region region = find(key);
                            if (region == null) {
                                return false;
                            }
                            try {
                                put(region, key, value);
                                return true;
                            } catch (ExecutionException e) {
                                return false;
                            }
                        });
    }

    String getAnywhere(String key) {
        AtomicReference<String> found = new AtomicReference<>();
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .until(
                        () -> {
                            RegionAccess.Region region = find(key);
                            if (region == null) {
                                return false;
                            }
                            try {
                                found.set(get(region, key));
                                return true;
                            } catch (ExecutionException e) {
                                return false;
                            }
                        });
        return found.get();
    }

    /** Orders a merge again and again, as PD does, until something has come to be. */
    void mergeUntil(long source, long target, Callable<Boolean> over) {
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> {
                            if (pd.regionIds().contains(source)) {
                                pd.merge(source, target);
                            }
                            return over.call();
                        });
    }

    /** Orders a merge, and kills the owner when so many voters have been told of an entry. */
    void dieMerging(Node owner, EntryKind kind, int told, long source, long target) {
        CountDownLatch dead = new CountDownLatch(1);
        wal.afterEntry(
                owner.registered.getOwner(),
                kind,
                told,
                () -> {
                    owner.isolate();
                    dead.countDown();
                });
        mergeUntil(source, target, () -> dead.await(1, TimeUnit.MILLISECONDS));
        owner.kill();
    }

    static KvError error(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof ExecutionException || cause instanceof CompletionException) {
            cause = cause.getCause();
        }
        if (cause instanceof KvException kv) {
            return kv.error();
        }
        throw new AssertionError("no KvException", failure);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        nodes.forEach(Node::close);
        wal.close();
        scheduler.close();
    }
}
