package io.tidekv.pd.core;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.pdstate.AddStore;
import io.tidekv.proto.pdstate.AddWal;
import io.tidekv.proto.pdstate.AdvanceGcSafePoint;
import io.tidekv.proto.pdstate.AdvanceTxnSafePoint;
import io.tidekv.proto.pdstate.AllocateIds;
import io.tidekv.proto.pdstate.Barrier;
import io.tidekv.proto.pdstate.Bootstrap;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.DeleteBarrier;
import io.tidekv.proto.pdstate.ExtendTso;
import io.tidekv.proto.pdstate.InitCluster;
import io.tidekv.proto.pdstate.IssueTerms;
import io.tidekv.proto.pdstate.Observation;
import io.tidekv.proto.pdstate.Observe;
import io.tidekv.proto.pdstate.PrepareSplit;
import io.tidekv.proto.pdstate.RecordMerge;
import io.tidekv.proto.pdstate.RecordSplit;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.SetBarrier;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.pdstate.TermOrder;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.List;

/** Makes commands that are sometimes right, sometimes stale and sometimes nonsense. */
final class RandomCommands {
    private final Randomness random;
    private final PdState state;

    /** Splits that are committed in their region's log; they may be reported again at any time. */
    private final List<ReportSplitRequest> splits = new ArrayList<>();

    /** Merges that are committed, or seem to be. */
    private final List<ReportMergeRequest> merges = new ArrayList<>();

    RandomCommands(Randomness random, PdState state) {
        this.random = random;
        this.state = state;
    }

    Command next() {
        return switch (random.nextInt(19)) {
            case 0 -> init();
            case 1 -> addStore();
            case 2 -> addWal();
            case 3 -> bootstrap();
            case 4, 5, 6 -> issue();
            case 7 -> observe();
            case 8, 9, 10, 11 -> split();
            case 16, 17, 18 -> merge();
            case 12 ->
                    Command.newBuilder()
                            .setAllocateIds(AllocateIds.newBuilder().setCount(random.nextInt(9)))
                            .build();
            case 13 ->
                    Command.newBuilder()
                            .setExtendTso(
                                    ExtendTso.newBuilder().setBoundMillis(random.nextInt(9999)))
                            .build();
            default -> safePoint();
        };
    }

    private Command init() {
        return Command.newBuilder()
                .setInitCluster(
                        InitCluster.newBuilder()
                                .setClusterId(random.nextInt(3))
                                .setSettings(ClusterSettings.newBuilder().setVoters(3)))
                .build();
    }

    private Command addStore() {
        return Command.newBuilder()
                .setAddStore(
                        AddStore.newBuilder()
                                .setRequest(
                                        RegisterStoreRequest.newBuilder()
                                                .setAddress("s" + random.nextInt(4))
                                                .setApiMode(1 + random.nextInt(2))))
                .build();
    }

    private Command addWal() {
        return Command.newBuilder()
                .setAddWal(
                        AddWal.newBuilder()
                                .setRequest(
                                        RegisterWalRequest.newBuilder()
                                                .setUuid("u" + random.nextInt(5))
                                                .setAddress("w" + random.nextInt(5))))
                .build();
    }

    private Command bootstrap() {
        Bootstrap.Builder order = Bootstrap.newBuilder().setOwner(owner());
        state.walNodes().stream().limit(3).forEach(w -> order.addWalIds(w.getWalId()));
        return Command.newBuilder().setBootstrap(order).build();
    }

    private Command issue() {
        IssueTerms.Builder orders = IssueTerms.newBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            RegionEntry region = region();
            orders.addOrders(
                    TermOrder.newBuilder()
                            .setRegionId(region.getShape().getRegionId())
                            .setExpectedTerm(region.getTerm() - (random.chance(0.1) ? 1 : 0))
                            .setOwner(owner()));
        }
        return Command.newBuilder().setIssueTerms(orders).build();
    }

    private Command observe() {
        RegionEntry region = region();
        RegionShape.Builder shape = region.getShape().toBuilder();
        if (random.chance(0.3)) {
            shape.setVersion(shape.getVersion() + random.nextInt(3) - 1);
        }
        if (random.chance(0.2)) {
            shape.setStartKey(key());
        }
        VoterConfig config =
                region.getConfig().toBuilder()
                        .setGeneration(region.getConfig().getGeneration() + random.nextInt(3) - 1)
                        .build();
        return Command.newBuilder()
                .setObserve(
                        Observe.newBuilder()
                                .addObservations(
                                        Observation.newBuilder()
                                                .setRegionId(shape.getRegionId())
                                                .setTerm(region.getTerm() - random.nextInt(2))
                                                .setServing(random.chance(0.5))
                                                .setShape(shape)
                                                .setConfig(config)))
                .build();
    }

    /** Two neighbours, or a region and any other; some reports come again later. */
    private Command merge() {
        if (!merges.isEmpty() && random.chance(0.3)) {
            return record(merges.get(random.nextInt(merges.size())));
        }
        RegionShape target = region().getShape();
        RegionEntry next = state.regions().startingAt(target.getEndKey());
        RegionEntry source = next == null || random.chance(0.1) ? region() : next;
        long version = Math.max(target.getVersion(), source.getShape().getVersion());
        ReportMergeRequest report =
                ReportMergeRequest.newBuilder()
                        .setTarget(
                                target.toBuilder()
                                        .setEndKey(source.getShape().getEndKey())
                                        .setVersion(version + (random.chance(0.9) ? 1 : 0)))
                        .setSource(MergedRegion.newBuilder().setShape(source.getShape()))
                        .build();
        merges.add(report);
        return record(report);
    }

    private static Command record(ReportMergeRequest report) {
        return Command.newBuilder()
                .setRecordMerge(RecordMerge.newBuilder().setRequest(report))
                .build();
    }

    /** A new split of a region at one or two keys, or an old or a garbled report. */
    private Command split() {
        if (!splits.isEmpty() && random.chance(0.3)) {
            ReportSplitRequest old = splits.get(random.nextInt(splits.size()));
            return record(random.chance(0.3) ? garbled(old) : old);
        }
        RegionEntry region = region();
        int count = 1 + random.nextInt(2);
        AskSplitRequest ask =
                AskSplitRequest.newBuilder()
                        .setOwner(random.chance(0.1) ? owner() : region.getOwner())
                        .setParent(region.getShape())
                        .setChildren(count)
                        .build();
        AskSplitResponse ids =
                state.apply(
                                Command.newBuilder()
                                        .setPrepareSplit(PrepareSplit.newBuilder().setRequest(ask))
                                        .build())
                        .getSplitPrepared()
                        .getResponse();
        if (ids.getChildrenCount() == 0) {
            return Command.getDefaultInstance();
        }
        ReportSplitRequest report = report(region, ids);
        splits.add(report);
        return random.chance(0.9) ? record(report) : Command.getDefaultInstance();
    }

    /** The children take the left of the region, or its right. */
    private ReportSplitRequest report(RegionEntry region, AskSplitResponse ids) {
        ByteString start = region.getShape().getStartKey();
        ByteString end = region.getShape().getEndKey();
        boolean left = random.chance(0.7);
        List<ByteString> cuts = new ArrayList<>();
        for (int i = 0; i < ids.getChildrenCount(); i++) {
            cuts.add(key());
        }
        cuts.sort(Keys.ORDER);
        long version = region.getShape().getVersion() + cuts.size();
        ReportSplitRequest.Builder report =
                ReportSplitRequest.newBuilder()
                        .setOwner(region.getOwner())
                        .setParent(
                                region.getShape().toBuilder()
                                        .setVersion(version)
                                        .setStartKey(left ? cuts.get(cuts.size() - 1) : start)
                                        .setEndKey(left ? end : cuts.get(0)));
        for (int i = 0; i < cuts.size(); i++) {
            ByteString from = left ? (i == 0 ? start : cuts.get(i - 1)) : cuts.get(i);
            ByteString to = left ? cuts.get(i) : i + 1 < cuts.size() ? cuts.get(i + 1) : end;
            report.addChildren(
                    SplitChild.newBuilder()
                            .setShape(
                                    RegionShape.newBuilder()
                                            .setRegionId(ids.getChildren(i).getRegionId())
                                            .setPeerId(ids.getChildren(i).getPeerId())
                                            .setVersion(version)
                                            .setConfVer(region.getShape().getConfVer())
                                            .setStartKey(from)
                                            .setEndKey(to))
                            .setConfig(ids.getChildren(i).getConfig())
                            .setFirstTerm(ids.getChildren(i).getFirstTerm())
                            .setFirstOwner(region.getOwner()));
        }
        return report.build();
    }

    private ReportSplitRequest garbled(ReportSplitRequest report) {
        ReportSplitRequest.Builder builder = report.toBuilder();
        SplitChild.Builder child = builder.getChildrenBuilder(0);
        switch (random.nextInt(6)) {
            case 0 -> child.getShapeBuilder().setStartKey(key());
            case 1 -> child.getShapeBuilder().setEndKey(key());
            case 2 -> child.getShapeBuilder().setRegionId(1_000_000);
            case 3 -> builder.addChildren(child);
            case 4 -> builder.getParentBuilder().setRegionId(random.nextInt(50));
            default -> child.clearConfig();
        }
        return builder.build();
    }

    private static Command record(ReportSplitRequest report) {
        return Command.newBuilder()
                .setRecordSplit(RecordSplit.newBuilder().setRequest(report))
                .build();
    }

    private Command safePoint() {
        boolean strict = random.chance(0.5);
        long target = random.nextInt(100);
        long now = random.nextInt(50);
        Barrier barrier =
                Barrier.newBuilder()
                        .setId("b" + random.nextInt(3))
                        .setTs(target)
                        .setExpiresAtSeconds(random.nextInt(60))
                        .build();
        Command.Builder command = Command.newBuilder();
        return switch (random.nextInt(4)) {
            case 0 ->
                    command.setAdvanceTxnSafePoint(
                                    AdvanceTxnSafePoint.newBuilder()
                                            .setTarget(target)
                                            .setNowSeconds(now)
                                            .setStrict(strict))
                            .build();
            case 1 ->
                    command.setAdvanceGcSafePoint(
                                    AdvanceGcSafePoint.newBuilder()
                                            .setTarget(target)
                                            .setNowSeconds(now)
                                            .setStrict(strict))
                            .build();
            case 2 ->
                    command.setSetBarrier(
                                    SetBarrier.newBuilder().setBarrier(barrier).setNowSeconds(now))
                            .build();
            default ->
                    command.setDeleteBarrier(DeleteBarrier.newBuilder().setId(barrier.getId()))
                            .build();
        };
    }

    private RegionEntry region() {
        List<RegionEntry> all = List.copyOf(state.regions().all());
        return all.isEmpty()
                ? RegionEntry.getDefaultInstance()
                : all.get(random.nextInt(all.size()));
    }

    private Owner owner() {
        List<StoreEntry> all = List.copyOf(state.stores());
        if (all.isEmpty()) {
            return Owner.getDefaultInstance();
        }
        StoreEntry store = all.get(random.nextInt(all.size()));
        return Owner.newBuilder()
                .setStoreId(store.getStoreId())
                .setIncarnation(store.getIncarnation() - (random.chance(0.1) ? 1 : 0))
                .build();
    }

    private ByteString key() {
        byte[] bytes = new byte[1 + random.nextInt(2)];
        random.nextBytes(bytes);
        return ByteString.copyFrom(bytes);
    }
}
