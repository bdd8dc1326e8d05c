package io.tidekv.pd.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.pdstate.AddStore;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.Done;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.InitCluster;
import io.tidekv.proto.pdstate.Member;
import io.tidekv.proto.pdstate.Observation;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.Regions;
import io.tidekv.proto.pdstate.RestorePlan;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.pdstate.Result;
import io.tidekv.proto.pdstate.Snapshot;
import io.tidekv.proto.pdstate.SplitPrepared;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.pdstate.TermOrder;
import io.tidekv.proto.pdstate.TsoExtended;
import io.tidekv.proto.pdstate.WalEntry;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The whole replicated state. Apply commands in log order; read between them. */
public final class PdState {
    private final Ids ids;
    private final MemberTable members;
    private final StoreTable stores;
    private final WalTable walNodes;
    private final RegionTable regions;
    private final RegionRules regionRules;
    private final SplitRules splitRules;
    private final MergeRules mergeRules;
    private final SafePointTable safePoints;
    private final KeyTable keys;
    private long clusterId;
    private ClusterSettings settings;
    private long createdAtMillis;
    private long revision;
    private long tsoBoundMillis;
    private List<RestoredRegion> restoring;

    private PdState(Snapshot saved) {
        ids = new Ids(Math.max(1, saved.getNextId()), Math.max(1, saved.getNextIncarnation()));
        members = new MemberTable(saved.getMembersList());
        stores = new StoreTable(saved.getStoresList());
        walNodes = new WalTable(saved.getWalNodesList());
        regions = new RegionTable(saved.getRegionsList());
        regionRules = new RegionRules(regions, stores, walNodes, ids);
        splitRules = new SplitRules(regions, ids);
        mergeRules = new MergeRules(regions);
        safePoints = new SafePointTable(saved.getSafePoints());
        keys = new KeyTable(saved.getKeysList());
        clusterId = saved.getClusterId();
        settings = saved.getSettings();
        createdAtMillis = saved.getCreatedAtMillis();
        revision = saved.getRevision();
        tsoBoundMillis = saved.getTsoBoundMillis();
        restoring = saved.getRestoringList();
    }

    /** The state before the first command. */
    public static PdState empty() {
        return new PdState(Snapshot.getDefaultInstance());
    }

    public static PdState restore(Snapshot snapshot) {
        PdState state = new PdState(snapshot);
        state.checkInvariants();
        return state;
    }

    public Snapshot snapshot() {
        return Snapshot.newBuilder()
                .setClusterId(clusterId)
                .setSettings(settings)
                .setCreatedAtMillis(createdAtMillis)
                .setRevision(revision)
                .setNextId(ids.next())
                .setNextIncarnation(ids.nextIncarnation())
                .setTsoBoundMillis(tsoBoundMillis)
                .addAllMembers(members.all())
                .addAllStores(stores.all())
                .addAllWalNodes(walNodes.all())
                .addAllRegions(regions.all())
                .setSafePoints(safePoints.save())
                .addAllKeys(keys.all())
                .addAllRestoring(restoring)
                .build();
    }

    /** Applies one command. A refused one changes nothing but the revision. */
    public Result apply(Command command) {
        revision++;
        try {
            return dispatch(command);
        } catch (CommandRefused refused) {
            return Result.newBuilder().setFailure(refused.failure()).build();
        }
    }

    private Result dispatch(Command command) {
        Result.Builder result = Result.newBuilder();
        switch (command.getBodyCase()) {
            case INIT_CLUSTER -> init(command.getInitCluster());
            case PUBLISH_MEMBER -> members.publish(command.getPublishMember());
            case ADD_STORE -> result.setStore(addStore(command.getAddStore()));
            case ADD_WAL -> {
                requireCluster(command.getAddWal().getRequest().getClusterId());
                result.setWal(walNodes.register(command.getAddWal().getRequest(), ids));
            }
            case BOOTSTRAP -> result.setRegions(bootstrap(command.getBootstrap()));
            case ISSUE_TERMS -> result.setRegions(issue(command.getIssueTerms().getOrdersList()));
            case OBSERVE -> result.setRegions(observe(command.getObserve().getObservationsList()));
            case ALLOCATE_IDS -> result.setIds(allocate(command.getAllocateIds().getCount()));
            case PREPARE_SPLIT -> {
                requireCluster(command.getPrepareSplit().getRequest().getClusterId());
                result.setSplitPrepared(
                        SplitPrepared.newBuilder()
                                .setResponse(regionRules.prepareSplit(command.getPrepareSplit())));
            }
            case RECORD_SPLIT -> result.setRegions(split(command.getRecordSplit().getRequest()));
            case RECORD_MERGE -> result.setRegions(merge(command.getRecordMerge().getRequest()));
            case EXTEND_TSO -> {
                tsoBoundMillis = Math.max(tsoBoundMillis, command.getExtendTso().getBoundMillis());
                result.setTsoExtended(TsoExtended.newBuilder().setBoundMillis(tsoBoundMillis));
            }
            case ADVANCE_TXN_SAFE_POINT ->
                    result.setSafePointAdvanced(
                            safePoints.advanceTxn(command.getAdvanceTxnSafePoint(), revision));
            case ADVANCE_GC_SAFE_POINT ->
                    result.setSafePointAdvanced(
                            safePoints.advanceGc(command.getAdvanceGcSafePoint(), revision));
            case SET_BARRIER -> result.setBarrier(safePoints.setBarrier(command.getSetBarrier()));
            case DELETE_BARRIER ->
                    result.setBarrier(safePoints.deleteBarrier(command.getDeleteBarrier()));
            case SET_EXTERNAL_TIMESTAMP ->
                    safePoints.setExternal(command.getSetExternalTimestamp().getTimestamp());
            case SET_WAL_MODE -> walNodes.setMode(command.getSetWalMode(), settings.getVoters());
            case CHANGE_KEYS -> result.setKeysChanged(keys.txn(command.getChangeKeys(), revision));
            case SET_STORE_MODE -> stores.setMode(command.getSetStoreMode());
            case BODY_NOT_SET ->
                    throw new CommandRefused(FailureKind.INVALID, "a command without content");
        }
        if (result.getBodyCase() == Result.BodyCase.BODY_NOT_SET) {
            result.setDone(Done.getDefaultInstance());
        }
        return result.build();
    }

    private void init(InitCluster order) {
        if (clusterId != 0) {
            return;
        }
        if (order.getClusterId() == 0 || order.getSettings().getVoters() == 0) {
            throw new CommandRefused(
                    FailureKind.INVALID, "a cluster needs an id and at least one voter per region");
        }
        clusterId = order.getClusterId();
        settings = order.getSettings();
        createdAtMillis = order.getAtMillis();
        if (order.hasRestore()) {
            RestorePlan plan = order.getRestore();
            ids.skipTo(plan.getNextId(), plan.getNextIncarnation());
            tsoBoundMillis = Math.max(tsoBoundMillis, plan.getTsoBoundMillis());
            restoring = plan.getRegionsList();
        }
    }

    private StoreEntry addStore(AddStore order) {
        requireCluster(order.getRequest().getClusterId());
        int mode = order.getRequest().getApiMode();
        if (mode < 1 || mode > 3) {
            throw new CommandRefused(FailureKind.INVALID, "unknown API mode %d", mode);
        }
        if (settings.getApiMode() != 0 && settings.getApiMode() != mode) {
            throw new CommandRefused(
                    FailureKind.MISMATCH,
                    "the cluster's API mode is %s and the store's is %s: start the store with the"
                            + " cluster's mode, or use another cluster",
                    modeName(settings.getApiMode()),
                    modeName(mode));
        }
        StoreEntry entry = stores.register(order.getRequest(), ids);
        settings = settings.toBuilder().setApiMode(mode).build();
        return entry;
    }

    private Regions bootstrap(io.tidekv.proto.pdstate.Bootstrap order) {
        List<RegionEntry> first =
                regionRules.bootstrap(order.getOwner(), order.getWalIdsList(), restoring);
        restoring = List.of();
        return Regions.newBuilder().addAllRegions(first).build();
    }

    private Regions issue(List<TermOrder> orders) {
        List<RegionEntry> issued = new ArrayList<>();
        for (TermOrder order : orders) {
            RegionEntry entry = regionRules.issue(order);
            if (entry != null) {
                issued.add(entry);
            }
        }
        return Regions.newBuilder().addAllRegions(issued).build();
    }

    private Regions observe(List<Observation> observations) {
        List<RegionEntry> changed = new ArrayList<>();
        for (Observation seen : observations) {
            RegionEntry entry = regionRules.observe(seen);
            if (entry != null) {
                changed.add(entry);
            }
        }
        return Regions.newBuilder().addAllRegions(changed).build();
    }

    private Regions split(ReportSplitRequest report) {
        requireCluster(report.getClusterId());
        return Regions.newBuilder().addAllRegions(splitRules.record(report)).build();
    }

    private Regions merge(ReportMergeRequest report) {
        requireCluster(report.getClusterId());
        return Regions.newBuilder().addAllRegions(mergeRules.record(report)).build();
    }

    private io.tidekv.proto.pdstate.Ids allocate(int count) {
        if (count < 1 || count > 1_000_000) {
            throw new CommandRefused(
                    FailureKind.INVALID, "cannot allocate %s ids", Integer.toUnsignedString(count));
        }
        long first = ids.take(count);
        return io.tidekv.proto.pdstate.Ids.newBuilder()
                .setFirst(first)
                .setLast(first + count - 1)
                .build();
    }

    private void requireCluster(long claimed) {
        if (clusterId == 0) {
            throw new CommandRefused(FailureKind.STALE, "the cluster has no id yet: try again");
        }
        if (claimed != 0 && claimed != clusterId) {
            throw new CommandRefused(
                    FailureKind.MISMATCH,
                    "mismatch cluster id, need %s but got %s",
                    Long.toUnsignedString(clusterId),
                    Long.toUnsignedString(claimed));
        }
    }

    /** V1, V1TTL or V2. */
    public static String modeName(int mode) {
        return switch (mode) {
            case 1 -> "V1";
            case 2 -> "V1TTL";
            case 3 -> "V2";
            default -> "unset";
        };
    }

    /** 0 before the cluster has been initialised. */
    public long clusterId() {
        return clusterId;
    }

    public ClusterSettings settings() {
        return settings;
    }

    public long createdAtMillis() {
        return createdAtMillis;
    }

    /** Commands applied so far. */
    public long revision() {
        return revision;
    }

    public long tsoBoundMillis() {
        return tsoBoundMillis;
    }

    /** By name. */
    public Collection<Member> members() {
        return members.all();
    }

    /** By id. */
    public Collection<StoreEntry> stores() {
        return stores.all();
    }

    public @Nullable StoreEntry store(long id) {
        return stores.get(id);
    }

    /** True when {@code owner} is the newest process of its store. */
    public boolean isCurrent(Owner owner) {
        return stores.isCurrent(owner);
    }

    /** By id. */
    public Collection<WalEntry> walNodes() {
        return walNodes.all();
    }

    public @Nullable WalEntry walNode(long id) {
        return walNodes.get(id);
    }

    public RegionTable regions() {
        return regions;
    }

    public KeyTable keys() {
        return keys;
    }

    public SafePointTable safePoints() {
        return safePoints;
    }

    /** What must hold after every command. Linear in the size of the state. */
    public void checkInvariants() {
        regions.checkInvariants();
        regionRules.checkInvariants();
        safePoints.checkInvariants();
        for (StoreEntry store : stores.all()) {
            Invariants.check(
                    ids.known(store.getStoreId()) && ids.incarnationKnown(store.getIncarnation()),
                    "store with unknown ids: %s",
                    store);
        }
    }
}
