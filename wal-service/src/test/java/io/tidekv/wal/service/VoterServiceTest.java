package io.tidekv.wal.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.MemoryWalFiles.Call;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class VoterServiceTest {
    private static final Owner OWNER = Owner.newBuilder().setStoreId(1).setIncarnation(1).build();

    private final MemoryWalFiles files = new MemoryWalFiles();
    private final AtomicBoolean broken = new AtomicBoolean();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private VoterService service;

    @BeforeEach
    void start() throws IOException {
        start(Duration.ofHours(1));
    }

    private void start(Duration markDelay) throws IOException {
        files.setFault(
                (call, name) -> {
                    if (call == Call.SYNC) {
                        awaitGate();
                        if (broken.get()) {
                            throw new IOException("the disk is gone");
                        }
                    }
                });
        service =
                VoterService.start(
                        "writer",
                        SegmentStore.open(files, new UUID(1, 1), new StorageOptions(1 << 20, 1000)),
                        new ServiceOptions(10_000, markDelay),
                        SystemClock.INSTANCE,
                        Randomness.seeded(1),
                        new Metrics());
    }

    private void awaitGate() {
        try {
            assertThat(gate.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void stop() {
        gate.countDown();
        service.close();
    }

    private static final class Answers implements Replies {
        final List<WalResponse> responses = new ArrayList<>();
        int bytes;

        @Override
        public synchronized void deliver(List<WalResponse> more, int moreBytes) {
            responses.addAll(more);
            bytes += moreBytes;
        }

        synchronized int count() {
            return responses.size();
        }

        synchronized WalResponse get(int at) {
            return responses.get(at);
        }
    }

    private static WalRequest create(long region) {
        Origin origin = Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
        VoterConfig config = VoterConfig.newBuilder().setGeneration(1).addWalIds(1).build();
        return WalRequest.newBuilder()
                .setSeq(region)
                .setRegionId(region)
                .setCreate(CreateRequest.newBuilder().setOrigin(origin).setConfig(config))
                .build();
    }

    private static WalRequest open(long region, long term) {
        return WalRequest.newBuilder()
                .setRegionId(region)
                .setOpen(OpenRequest.newBuilder().setTerm(term).setOwner(OWNER).setLeaseMs(100))
                .build();
    }

    private static WalRequest append(long region, long index) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(index)
                        .setTerm(1)
                        .setKind(EntryKind.WRITE)
                        .setData(ByteString.copyFrom(new byte[100]))
                        .build();
        return WalRequest.newBuilder()
                .setSeq(index)
                .setRegionId(region)
                .setAppend(
                        AppendRequest.newBuilder()
                                .setTerm(1)
                                .setOwner(OWNER)
                                .setPrevIndex(index - 1)
                                .setPrevTerm(index == 1 ? 0 : 1)
                                .addEntries(entry)
                                .setLeaseMs(100))
                .build();
    }

    private Answers submit(List<WalRequest> requests, int bytes) {
        Answers answers = new Answers();
        service.submit(OWNER, requests, bytes, answers);
        return answers;
    }

    private WalResponse ask(WalRequest request) {
        Answers answers = submit(List.of(request), 100);
        await().until(() -> answers.count() == 1);
        return answers.get(0);
    }

    private long syncs() throws Exception {
        return service.status().get(5, TimeUnit.SECONDS).storage().syncs();
    }

    @Test
    void whatArrivesDuringASyncSharesTheNext() throws Exception {
        ask(create(1));
        ask(open(1, 1));
        long before = syncs();
        gate = new CountDownLatch(1);
        Answers first = submit(List.of(append(1, 1)), 100);
        await().until(() -> service.queuedBytes() == 0);
        List<Answers> others = new ArrayList<>();
        for (long index = 2; index <= 60; index++) {
            others.add(submit(List.of(append(1, index)), 100));
        }
        assertThat(first.count()).as("nothing is said before the sync").isZero();
        gate.countDown();
        await().until(() -> others.stream().allMatch(one -> one.count() == 1));
        assertThat(syncs() - before).isEqualTo(2);
        assertThat(others.get(58).get(0).getAppend().getLastIndex()).isEqualTo(60);
    }

    @Test
    void aFullQueueRefusesInOrder() throws Exception {
        ask(create(1));
        ask(open(1, 1));
        gate = new CountDownLatch(1);
        submit(List.of(append(1, 1)), 100);
        await().until(() -> service.queuedBytes() == 0);
        Answers fits = submit(List.of(append(1, 2)), 9_999);
        Answers tooMuch = submit(List.of(append(1, 3), append(1, 4)), 500);
        gate.countDown();
        await().until(() -> tooMuch.count() == 2);
        assertThat(fits.get(0).getAppend().getMatched()).isTrue();
        assertThat(tooMuch.get(0).getError().getCode()).isEqualTo(WalErrorCode.OVERLOADED);
        assertThat(tooMuch.get(1).getSeq()).isEqualTo(4);
        assertThat(tooMuch.bytes).isEqualTo(500);
        assertThat(ask(append(1, 3)).getAppend().getMatched()).isTrue();
    }

    @Test
    void aFailedSyncAcknowledgesNothingAndTheNodeComesBack() {
        ask(create(1));
        ask(open(1, 1));
        ask(append(1, 1));
        broken.set(true);
        assertThat(ask(append(1, 2)).getError().getCode()).isEqualTo(WalErrorCode.STORAGE_FAILED);
        assertThat(ask(append(1, 3)).getError().getCode()).isEqualTo(WalErrorCode.STORAGE_FAILED);
        assertThat(service.problem()).contains("the disk is gone");
        broken.set(false);
        await().atMost(Duration.ofSeconds(10)).until(() -> service.problem().isEmpty());
        assertThat(ask(append(1, 2)).getAppend().getMatched()).isTrue();
    }

    @Test
    void aFullDiskRefusesEntriesAndRecovers() {
        ask(create(1));
        ask(open(1, 1));
        // A header and two batches of a block each; then less than the reserve is left.
        files.setCapacity(3 * 512 + 900);
        ask(create(1));
        assertThat(ask(append(1, 1)).getError().getCode()).isEqualTo(WalErrorCode.DISK_FULL);
        assertThat(service.isFull()).isTrue();
        assertThat(service.problem()).isEmpty();
        files.setCapacity(1 << 30);
        ask(create(1));
        assertThat(ask(append(1, 1)).getAppend().getMatched()).isTrue();
        await().until(() -> !service.isFull());
    }

    @Test
    void anIdleNodeVouchesForItsLastBatch() throws Exception {
        service.close();
        start(Duration.ofMillis(100));
        ask(create(1));
        long before = syncs();
        await().atMost(Duration.ofSeconds(5)).until(() -> syncs() == before + 1);
        ask(open(9, 1));
        assertThat(syncs()).as("once is enough").isEqualTo(before + 1);
    }
}
