package io.tidekv.wal.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Regions that keep old segments alive: voters and segments, with a clock in the hand. */
class PinnedSegmentsTest {
    private static final long SEGMENT = 64 << 10;
    private static final Owner OWNER = Owner.newBuilder().setStoreId(1).setIncarnation(1).build();

    private final ManualClock clock = new ManualClock();
    private final long[] last = new long[4];
    private SegmentStore store;
    private VoterNode node;
    private long session;

    @BeforeEach
    void open() throws IOException {
        store =
                SegmentStore.open(
                        new MemoryWalFiles(), new UUID(1, 2), new StorageOptions(SEGMENT, 0));
        node = new VoterNode(store, VoterRules.RIGHT, 100, clock.read());
        for (long region = 1; region <= 3; region++) {
            ask(region, WalRequest.newBuilder().setCreate(create()));
            OpenRequest open =
                    OpenRequest.newBuilder().setTerm(1).setOwner(OWNER).setLeaseMs(1000).build();
            session = ask(region, WalRequest.newBuilder().setOpen(open)).getOpen().getSession();
        }
    }

    private static CreateRequest create() {
        return CreateRequest.newBuilder()
                .setConfig(VoterConfig.newBuilder().setGeneration(1).addWalIds(1))
                .setOrigin(Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()))
                .build();
    }

    private WalResponse ask(long region, WalRequest.Builder request) throws IOException {
        WalResponse response =
                node.handle(OWNER, request.setRegionId(region).build(), clock.read());
        assertThat(response.hasError()).as(response.toString()).isFalse();
        store.commit();
        store.maintain(ServiceOptions.MOVED_BYTES_MAX);
        return response;
    }

    private AppendRequest.Builder append(long region) {
        return AppendRequest.newBuilder()
                .setTerm(1)
                .setOwner(OWNER)
                .setPrevIndex(last[(int) region])
                .setPrevTerm(last[(int) region] == 0 ? 0 : 1)
                .setCommitIndex(last[(int) region]);
    }

    private void write(long region, int bytes) throws IOException {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(last[(int) region] + 1)
                        .setTerm(1)
                        .setKind(EntryKind.WRITE)
                        .setData(ByteString.copyFrom(new byte[bytes]))
                        .build();
        ask(region, WalRequest.newBuilder().setAppend(append(region).addEntries(entry)));
        last[(int) region]++;
    }

    private void publish(long region) throws IOException {
        Snapshot snapshot = Snapshot.newBuilder().setIndex(last[(int) region]).setTerm(1).build();
        ask(region, WalRequest.newBuilder().setAppend(append(region).setSnapshot(snapshot)));
    }

    private List<Long> renew() {
        RenewRequest renew =
                RenewRequest.newBuilder()
                        .setOwner(OWNER)
                        .setSession(session)
                        .setLeaseMs(1000)
                        .build();
        clock.advanceMillis(400);
        WalResponse response =
                node.handle(OWNER, WalRequest.newBuilder().setRenew(renew).build(), clock.read());
        assertThat(response.hasRenew()).isTrue();
        return response.getRenew().getPublishRegionIdsList();
    }

    private void assertSmall() {
        assertThat(store.stats().segmentBytes())
                .isLessThanOrEqualTo(2 * store.stats().liveBytes() + 2 * SEGMENT + 4096);
    }

    @Test
    void ownersAreAskedAndThenTheLogIsShort() throws IOException {
        write(1, 100);
        for (int i = 0; i < 60; i++) {
            write(2, 10_000);
        }
        write(3, 100);
        assertThat(store.stats().segments()).isGreaterThan(8);
        assertThat(renew()).as("nobody is asked before somebody looks").isEmpty();
        node.wantPublished(store.holding(ServiceOptions.SEGMENTS_HELD_MAX));
        assertThat(renew()).as("region 3 holds nothing old").containsExactly(1L, 2L);
        assertThat(renew()).as("once").isEmpty();
        publish(1);
        publish(2);
        for (int i = 0; i < 4; i++) {
            write(3, 10);
        }
        assertThat(store.holding(ServiceOptions.SEGMENTS_HELD_MAX)).isEmpty();
        assertThat(store.stats().segments()).isLessThanOrEqualTo(2);
        assertSmall();
    }

    @Test
    void whoDoesNotPublishIsMoved() throws IOException {
        write(1, 100);
        for (int i = 0; i < 100; i++) {
            write(2, 10_000);
            publish(2);
            assertSmall();
        }
        assertThat(store.read(1, 1, 1, 1000)).hasSize(1);
        assertThat(store.stats().segments()).isLessThanOrEqualTo(3);
    }

    @Test
    void strangersAreNotAsked() throws IOException {
        node.wantPublished(List.of(1L, 99L));
        Owner other = OWNER.toBuilder().setIncarnation(2).build();
        OpenRequest open =
                OpenRequest.newBuilder().setTerm(2).setOwner(other).setLeaseMs(1000).build();
        clock.advanceMillis(2000);
        WalResponse opened =
                node.handle(
                        other,
                        WalRequest.newBuilder().setRegionId(2).setOpen(open).build(),
                        clock.read());
        RenewRequest renew =
                RenewRequest.newBuilder()
                        .setOwner(other)
                        .setSession(opened.getOpen().getSession())
                        .setLeaseMs(1000)
                        .build();
        WalResponse renewed =
                node.handle(other, WalRequest.newBuilder().setRenew(renew).build(), clock.read());
        assertThat(renewed.getRenew().getPublishRegionIdsList()).isEmpty();
    }
}
