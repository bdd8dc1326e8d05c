package io.tidekv.wal.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.grpc.WalEndpoint;
import io.tidekv.wal.service.ServiceOptions;
import io.tidekv.wal.service.VoterService;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.MemoryWalFiles.Call;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The link against a node whose disk can be held up. */
class GrpcWalLinkTest {
    private static final Owner OWNER = Owner.newBuilder().setStoreId(1).setIncarnation(2).build();
    private static final NodeIdentity IDENTITY = new NodeIdentity(new UUID(1, 2), 7, 3);
    private static final long MEGABYTE = 1 << 20;

    private final ThreadScheduler scheduler = new ThreadScheduler("test-links");
    private final Events events = new Events();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private VoterService service;
    private Server server;
    private WalLink link;

    private static final class Events implements WalLink.Listener {
        final List<String> changes = new CopyOnWriteArrayList<>();
        final List<WalResponse> responses = new CopyOnWriteArrayList<>();

        @Override
        public void onConnected(long walId) {
            changes.add("connected");
        }

        @Override
        public void onDisconnected(long walId, String reason) {
            changes.add("disconnected");
        }

        @Override
        public void onResponses(long walId, List<WalResponse> more) {
            responses.addAll(more);
        }
    }

    @BeforeEach
    void start() throws IOException {
        MemoryWalFiles files = new MemoryWalFiles();
        files.setFault(
                (call, name) -> {
                    if (call == Call.SYNC) {
                        awaitGate();
                    }
                });
        service =
                VoterService.start(
                        "writer",
                        SegmentStore.open(files, IDENTITY.uuid(), new StorageOptions(64 << 20, 0)),
                        new ServiceOptions(64 << 20, Duration.ofHours(1)),
                        SystemClock.INSTANCE,
                        Randomness.seeded(1),
                        new Metrics());
        startServer(0);
        link =
                new GrpcWalLinks(7, OWNER, scheduler, Randomness.seeded(1))
                        .connect(3, "127.0.0.1:" + server.getPort(), events);
        await().until(() -> events.changes.contains("connected"));
    }

    private void startServer(int port) throws IOException {
        server =
                GrpcTransports.server(new HostPort("127.0.0.1", port))
                        .directExecutor()
                        .addService(new WalEndpoint(service, () -> IDENTITY))
                        .build()
                        .start();
    }

    private void awaitGate() {
        try {
            gate.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void stop() throws InterruptedException {
        gate.countDown();
        link.close();
        scheduler.close();
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        service.close();
    }

    private static WalRequest.Builder at(long region) {
        return WalRequest.newBuilder().setSeq(region).setRegionId(region);
    }

    private void openRegion() {
        Origin origin = Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
        VoterConfig config = VoterConfig.newBuilder().setGeneration(1).addWalIds(1).build();
        CreateRequest.Builder create =
                CreateRequest.newBuilder().setOrigin(origin).setConfig(config);
        OpenRequest.Builder open =
                OpenRequest.newBuilder().setTerm(1).setOwner(OWNER).setLeaseMs(5000);
        List<WalRequest> both =
                List.of(at(1).setCreate(create).build(), at(1).setOpen(open).build());
        assertThat(link.send(both)).isTrue();
        await().until(() -> events.responses.size() == 2);
        events.responses.clear();
    }

    private static WalRequest append(long index) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(index)
                        .setTerm(1)
                        .setKind(EntryKind.WRITE)
                        .setData(ByteString.copyFrom(new byte[(int) MEGABYTE]))
                        .build();
        return at(1).setSeq(index)
                .setAppend(
                        AppendRequest.newBuilder()
                                .setTerm(1)
                                .setOwner(OWNER)
                                .setPrevIndex(index - 1)
                                .setPrevTerm(index == 1 ? 0 : 1)
                                .addEntries(entry)
                                .setLeaseMs(5000))
                .build();
    }

    @Test
    void aStuckDiskStopsTheSenderAtItsBound() {
        openRegion();
        gate = new CountDownLatch(1);
        long sent = 0;
        while (sent < 200 && link.send(List.of(append(sent + 1)))) {
            sent++;
        }
        assertThat(sent).isBetween(60L, 64L);
        // The node has taken a window's worth; the rest waits at the sender.
        await().until(() -> service.queuedBytes() > 10 * MEGABYTE);
        assertThat(service.queuedBytes()).isLessThan(24 * MEGABYTE);
        gate.countDown();
        long expected = sent;
        await().atMost(Duration.ofSeconds(20)).until(() -> events.responses.size() == expected);
        for (int i = 0; i < expected; i++) {
            assertThat(events.responses.get(i).getAppend().getLastIndex()).isEqualTo(i + 1);
        }
        assertThat(link.send(List.of(append(sent + 1)))).isTrue();
    }

    @Test
    void whatIsUnderWayIsLostWithTheConnectionAndTheLinkComesBack() throws Exception {
        openRegion();
        gate = new CountDownLatch(1);
        assertThat(link.send(List.of(append(1)))).isTrue();
        int port = server.getPort();
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        await().until(() -> events.changes.contains("disconnected"));
        assertThat(link.send(List.of(append(2)))).isFalse();
        gate.countDown();
        startServer(port);
        await().atMost(Duration.ofSeconds(10))
                .until(
                        () ->
                                events.changes.equals(
                                        List.of("connected", "disconnected", "connected")));
        assertThat(events.responses).isEmpty();
        assertThat(link.send(List.of(append(2)))).isTrue();
        await().until(() -> events.responses.size() == 1);
        // Whether it matches depends on whether the first one had arrived.
        assertThat(events.responses.get(0).hasAppend()).isTrue();
    }

    @Test
    void readsAreBoundedWhateverIsAskedFor() {
        openRegion();
        for (long index = 1; index <= 20; index++) {
            link.send(List.of(append(index)));
        }
        await().until(() -> events.responses.size() == 20);
        events.responses.clear();
        ReadRequest.Builder read =
                ReadRequest.newBuilder().setFromIndex(1).setBytesMax(Long.MAX_VALUE);
        link.send(List.of(at(1).setRead(read).build()));
        await().until(() -> events.responses.size() == 1);
        assertThat(events.responses.get(0).getRead().getEntriesCount()).isEqualTo(8);
    }

    @Test
    void aClosedLinkSaysNothingMore() {
        link.close();
        assertThat(link.send(List.of(append(1)))).isFalse();
        server.shutdownNow();
        assertThat(events.changes).containsExactly("connected");
    }
}
