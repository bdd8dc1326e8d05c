package io.tidekv.wal.archive;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.store.ObjectStore;
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
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.SealedSegment;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.util.List;
import java.util.UUID;

/** A WAL node on a folder in memory, driven by hand, with its shipper. */
final class ShippingRig {
    static final long CLUSTER = 77;
    static final StorageOptions OPTIONS = new StorageOptions(8192, 0);

    final NodeIdentity identity;
    final ManualClock clock;
    private final ObjectStore store;
    private final long partBytes;
    MemoryWalFiles files = new MemoryWalFiles();
    SegmentStore segments;
    VoterNode voters;
    private SegmentShipper shipper;
    private KnownCommits commits;
    private long firstWanted;

    ShippingRig(int number, ObjectStore store, ManualClock clock, long partBytes)
            throws IOException {
        this.identity = new NodeIdentity(new UUID(number, number), CLUSTER, number);
        this.store = store;
        this.clock = clock;
        this.partBytes = partBytes;
        start(files);
    }

    /** Starts on what a crash has left. */
    void start(MemoryWalFiles from) throws IOException {
        files = from;
        segments = SegmentStore.open(files, identity.uuid(), OPTIONS);
        voters = new VoterNode(segments, VoterRules.RIGHT, 1, clock.read());
        restartShipper(store);
    }

    void crash(Randomness randomness) throws IOException {
        start(files.crashed(MemoryWalFiles.Crash.TORN, randomness));
    }

    /** A shipper that remembers nothing. */
    void restartShipper(ObjectStore to) {
        commits = new KnownCommits();
        ObjectStore cluster = ArchiveNames.ofCluster(to, CLUSTER);
        shipper = new SegmentShipper(files, identity, cluster, partBytes, commits);
        firstWanted = 0;
        segments.holdFrom(0);
    }

    /** Ships at most {@code most} of the full segments that are not shipped. */
    int ship(int most) throws IOException {
        commits.learn(voters.committed());
        int shipped = 0;
        for (SealedSegment segment : segments.sealed()) {
            if (segment.number() >= firstWanted && shipped < most) {
                shipped += shipper.ship(segment) ? 1 : 0;
                firstWanted = segment.number() + 1;
                segments.holdFrom(firstWanted);
            }
        }
        return shipped;
    }

    /** Deletes what was shipped so long before the last full segment. */
    int prune(long retentionMillis) {
        List<SealedSegment> sealed = segments.sealed();
        return shipper.prune(sealed.get(sealed.size() - 1), retentionMillis);
    }

    /** Closes the segment under way and ships all. */
    void shipAll() throws IOException {
        segments.seal();
        segments.maintain(1 << 20);
        ship(Integer.MAX_VALUE);
    }

    void commit() throws IOException {
        segments.commit(clock.wallMillis(), false);
        segments.maintain(1 << 20);
    }

    WalResponse handle(Owner owner, WalRequest.Builder request) {
        return voters.handle(owner, request.build(), clock.read());
    }

    static Owner owner(long term) {
        return Owner.newBuilder().setStoreId(term).setIncarnation(term).build();
    }

    WalResponse create(long region, List<Long> walIds) {
        return handle(
                owner(1),
                WalRequest.newBuilder()
                        .setRegionId(region)
                        .setCreate(
                                CreateRequest.newBuilder()
                                        .setConfig(
                                                VoterConfig.newBuilder()
                                                        .setGeneration(1)
                                                        .addAllWalIds(walIds))
                                        .setOrigin(
                                                Origin.newBuilder()
                                                        .setBootstrap(
                                                                Bootstrap.getDefaultInstance()))));
    }

    WalResponse open(long region, long term) {
        return handle(
                owner(term),
                WalRequest.newBuilder()
                        .setRegionId(region)
                        .setOpen(
                                OpenRequest.newBuilder()
                                        .setTerm(term)
                                        .setOwner(owner(term))
                                        .setLeaseMs(0)));
    }

    WalResponse append(
            long region,
            long term,
            long prevIndex,
            long prevTerm,
            List<Entry> entries,
            long commit,
            Snapshot snapshot,
            boolean reset) {
        return handle(
                owner(term),
                WalRequest.newBuilder()
                        .setRegionId(region)
                        .setAppend(
                                AppendRequest.newBuilder()
                                        .setTerm(term)
                                        .setOwner(owner(term))
                                        .setPrevIndex(prevIndex)
                                        .setPrevTerm(prevTerm)
                                        .addAllEntries(entries)
                                        .setCommitIndex(commit)
                                        .setSnapshot(snapshot)
                                        .setResetToSnapshot(reset)));
    }

    static Entry entry(long index, long term, byte[] data) {
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(term)
                .setKind(EntryKind.WRITE)
                .setData(ByteString.copyFrom(data))
                .build();
    }

    static ArchiveReader reader(ObjectStore store) {
        return ArchiveReader.open(ArchiveNames.ofCluster(store, CLUSTER), 0);
    }
}
