package io.tidekv.compute.region;

import static org.awaitility.Awaitility.await;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.pd.MemoryPd;
import io.tidekv.compute.pd.MemoryPdLink;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.StoreStats;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** Stores, WAL nodes and PD in one process; data in {@link TwinTablets}. */
final class TestCluster implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(15);

    final TwinTablets.Bucket bucket = new TwinTablets.Bucket();
    final ThreadScheduler scheduler = new ThreadScheduler("test-timer");
    final TwinWal wal = new TwinWal(3, SystemClock.INSTANCE);
    final MemoryPd pd;
    private final List<Node> nodes = new ArrayList<>();

    TestCluster() {
        pd = new MemoryPd(77, 1, wal.list(), SystemClock.INSTANCE, scheduler);
    }

    /** One process. */
    final class Node implements AutoCloseable {
        final MemoryPdLink link = pd.link();
        final RegisterStoreResponse registered;
        final TwinTablets tablets = new TwinTablets(bucket);
        final RegionStore store;
        final AtomicReference<String> ended = new AtomicReference<>();
        private boolean closed;

        Node(String address, StoreOptions options, Clock clock) {
            registered =
                    link.register(
                            RegisterStoreRequest.newBuilder()
                                    .setAddress(address)
                                    .setApiMode(1)
                                    .build(),
                            Duration.ofSeconds(1));
            store =
                    RegionStore.start(
                            new RegionStore.Parts(
                                    77,
                                    registered.getOwner(),
                                    1,
                                    options,
                                    link,
                                    wal.factory(registered.getOwner()),
                                    tablets,
                                    StoreStats::getDefaultInstance,
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
                                    }));
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

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                store.close();
            }
        }
    }

    Node start(String address) {
        return start(address, StoreOptions.defaults());
    }

    Node start(String address, StoreOptions options) {
        return start(address, options, SystemClock.INSTANCE);
    }

    Node start(String address, StoreOptions options, Clock clock) {
        Node node = new Node(address, options, clock);
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
        region.write(
                        region.shape().getVersion(),
                        new WriteBatchBuilder().put(Cf.DEFAULT, bytes(key), bytes(value)))
                .get(10, TimeUnit.SECONDS);
    }

    static String get(RegionAccess.Region region, String key) throws Exception {
        try (KvSnapshot snapshot =
                region.read(region.shape().getVersion()).get(10, TimeUnit.SECONDS)) {
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
                if (RegionRange.contains(
                        region.shape(), com.google.protobuf.ByteString.copyFromUtf8(key))) {
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
