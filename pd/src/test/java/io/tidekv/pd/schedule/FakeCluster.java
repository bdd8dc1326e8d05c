package io.tidekv.pd.schedule;

import com.google.protobuf.ByteString;
import io.tidekv.common.config.Settings;
import io.tidekv.common.time.ManualClock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.MemoryStateLog;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.ChildIds;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.cluster.SetStoreModeRequest;
import io.tidekv.proto.cluster.SetWalModeRequest;
import io.tidekv.proto.pdstate.AddStore;
import io.tidekv.proto.pdstate.AddWal;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.InitCluster;
import io.tidekv.proto.pdstate.PrepareSplit;
import io.tidekv.proto.pdstate.RecordMerge;
import io.tidekv.proto.pdstate.RecordSplit;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.Result;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** PD's decisions on a log in memory, under a clock that the test moves; no threads. */
final class FakeCluster {
    final ManualClock clock = new ManualClock();
    final MemoryStateLog log;
    final Coordinator coordinator;
    private final Set<Long> walNodes = new LinkedHashSet<>();
    private Command.Builder lastSplit = Command.newBuilder();

    FakeCluster(boolean balance) {
        this(balance, PdState.empty());
    }

    FakeCluster(boolean balance, PdState state) {
        log = new MemoryStateLog(state);
        ScheduleConfig config =
                Settings.load(
                        ScheduleConfig.class, null, Map.of("balance", String.valueOf(balance)));
        coordinator = new Coordinator(log, clock, config, Runnable::run);
        submit(
                Command.newBuilder()
                        .setInitCluster(
                                InitCluster.newBuilder()
                                        .setClusterId(7)
                                        .setSettings(ClusterSettings.newBuilder().setVoters(3))));
        coordinator.tick();
    }

    void addWalNodes(int count) {
        for (int i = 0; i < count; i++) {
            addWal("");
        }
    }

    /**
     * A WAL node that is heard of at every {@link #pass} until it is {@linkplain #silence silent}.
     */
    long addWal(String zone) {
        String name = "w" + log.read(s -> s.walNodes().size());
        RegisterWalRequest request =
                RegisterWalRequest.newBuilder()
                        .setUuid(name)
                        .setAddress(name)
                        .setZone(zone)
                        .build();
        long id =
                submit(Command.newBuilder().setAddWal(AddWal.newBuilder().setRequest(request)))
                        .getWal()
                        .getWalId();
        walNodes.add(id);
        coordinator.walSeen(id);
        return id;
    }

    void silence(long walId) {
        walNodes.remove(walId);
    }

    void setWalMode(long walId, NodeMode mode, long replacement) {
        submit(
                Command.newBuilder()
                        .setSetWalMode(
                                SetWalModeRequest.newBuilder()
                                        .setWalId(walId)
                                        .setMode(mode)
                                        .setReplacement(replacement)));
        coordinator.modeChanged().join();
    }

    void drainStore(FakeStore store) {
        submit(
                Command.newBuilder()
                        .setSetStoreMode(
                                SetStoreModeRequest.newBuilder()
                                        .setStoreId(store.owner.getStoreId())
                                        .setMode(NodeMode.DRAINING)));
        coordinator.modeChanged().join();
    }

    /** Regions that have the node as a voter. */
    long voterOf(long walId) {
        return regions().stream().filter(r -> voters(r).contains(walId)).count();
    }

    static List<Long> voters(RegionEntry region) {
        return region.getConfig().getWalIdsList();
    }

    FakeStore addStore(String address) {
        StoreEntry entry =
                submit(
                                Command.newBuilder()
                                        .setAddStore(
                                                AddStore.newBuilder()
                                                        .setRequest(
                                                                RegisterStoreRequest.newBuilder()
                                                                        .setAddress(address)
                                                                        .setApiMode(1))))
                        .getStore();
        coordinator.registered(entry.getStoreId());
        return new FakeStore(
                Owner.newBuilder()
                        .setStoreId(entry.getStoreId())
                        .setIncarnation(entry.getIncarnation())
                        .build(),
                coordinator);
    }

    /** Lets time pass in ticks; the given stores report twice a second. */
    void pass(long millis, FakeStore... reporting) {
        for (long t = 0; t < millis; t += 100) {
            clock.advanceMillis(100);
            walNodes.forEach(coordinator::walSeen);
            if (t % 500 == 0) {
                for (FakeStore store : reporting) {
                    store.report();
                }
            }
            coordinator.tick();
        }
    }

    /** Three WAL nodes and one store that leads the first region. */
    FakeStore begin() {
        addWalNodes(3);
        FakeStore store = addStore("a:1");
        pass(700, store);
        return store;
    }

    /** The target's owner has taken over its neighbour. */
    void merged(FakeStore store, long sourceId, long targetId) {
        RegionShape source = region(sourceId).getShape();
        RegionShape target = region(targetId).getShape();
        boolean isLeft = source.getEndKey().equals(target.getStartKey());
        RegionShape left = isLeft ? source : target;
        RegionShape right = isLeft ? target : source;
        submit(
                Command.newBuilder()
                        .setRecordMerge(
                                RecordMerge.newBuilder()
                                        .setRequest(
                                                ReportMergeRequest.newBuilder()
                                                        .setOwner(store.owner)
                                                        .setTarget(
                                                                target.toBuilder()
                                                                        .setStartKey(
                                                                                left.getStartKey())
                                                                        .setEndKey(
                                                                                right.getEndKey())
                                                                        .setVersion(
                                                                                Math.max(
                                                                                                source
                                                                                                        .getVersion(),
                                                                                                target
                                                                                                        .getVersion())
                                                                                        + 1))
                                                        .setSource(
                                                                MergedRegion.newBuilder()
                                                                        .setShape(source)))));
        store.regions.remove(sourceId);
    }

    /** PD's answer to the last report of a split was lost. */
    void reportSplitAgain() {
        submit(lastSplit);
    }

    /** The region's owner splits it at the key; the right part keeps the id. */
    long split(FakeStore store, long regionId, String key) {
        RegionEntry parent = region(regionId);
        ByteString at = ByteString.copyFromUtf8(key);
        ChildIds ids =
                submit(
                                Command.newBuilder()
                                        .setPrepareSplit(
                                                PrepareSplit.newBuilder()
                                                        .setRequest(
                                                                AskSplitRequest.newBuilder()
                                                                        .setOwner(store.owner)
                                                                        .setParent(
                                                                                parent.getShape())
                                                                        .setChildren(1))))
                        .getSplitPrepared()
                        .getResponse()
                        .getChildren(0);
        long version = parent.getShape().getVersion() + 1;
        RegionShape rest =
                parent.getShape().toBuilder().setStartKey(at).setVersion(version).build();
        RegionShape child =
                parent.getShape().toBuilder()
                        .setRegionId(ids.getRegionId())
                        .setPeerId(ids.getPeerId())
                        .setEndKey(at)
                        .setVersion(version)
                        .build();
        lastSplit =
                Command.newBuilder()
                        .setRecordSplit(
                                RecordSplit.newBuilder()
                                        .setRequest(
                                                ReportSplitRequest.newBuilder()
                                                        .setOwner(store.owner)
                                                        .setParent(rest)
                                                        .addChildren(
                                                                SplitChild.newBuilder()
                                                                        .setShape(child)
                                                                        .setConfig(ids.getConfig())
                                                                        .setFirstTerm(
                                                                                ids.getFirstTerm())
                                                                        .setFirstOwner(
                                                                                store.owner))));
        reportSplitAgain();
        store.regions.computeIfPresent(regionId, (id, r) -> r.toBuilder().setShape(rest).build());
        store.report();
        return ids.getRegionId();
    }

    RegionEntry region(long id) {
        RegionEntry entry = log.read(s -> s.regions().get(id));
        if (entry == null) {
            throw new AssertionError("no region " + id);
        }
        return entry;
    }

    List<RegionEntry> regions() {
        return log.read(s -> List.copyOf(s.regions().all()));
    }

    long ownedBy(FakeStore store) {
        return regions().stream().filter(r -> r.getOwner().equals(store.owner)).count();
    }

    long revision() {
        return log.read(PdState::revision);
    }

    private Result submit(Command.Builder command) {
        return log.submit(command.build()).join();
    }
}
