package io.tidekv.compute.pd;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.cluster.Ack;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ChildIds;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.Fenced;
import io.tidekv.proto.cluster.Follow;
import io.tidekv.proto.cluster.JudgeMergeRequest;
import io.tidekv.proto.cluster.JudgeMergeResponse;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.MergeVerdict;
import io.tidekv.proto.cluster.Move;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.cluster.ReportSplitResponse;
import io.tidekv.proto.cluster.Revoke;
import io.tidekv.proto.cluster.SplitOrder;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.cluster.Unfollow;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.cluster.WalNodes;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import io.tidekv.proto.region.SplitOrigin;
import io.tidekv.proto.region.VoterConfig;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * PD in memory, for tests and simulations of stores: registration, terms, assignment, moves,
 * splits, failed stores. Forgets everything with the object. Thread-safe; commands are delivered on
 * the scheduler's thread, in order.
 */
public final class MemoryPd {
    private static final Duration SILENCE = Duration.ofMillis(1500);

    private static final class Store {
        Owner owner = Owner.getDefaultInstance();
        PdLink.@Nullable ReportListener listener;
        long heardNanos;
        boolean up;
    }

    private static final class Region {
        RegionShape shape = RegionShape.getDefaultInstance();
        VoterConfig config = VoterConfig.getDefaultInstance();
        @Nullable Origin origin;
        Owner owner = Owner.getDefaultInstance();
        long term;
        long moveTo;
        @Nullable RegionReport report;
    }

    private final long clusterId;
    private final int apiMode;
    private final Clock clock;
    private final Scheduler scheduler;
    private final List<WalNode> walNodes;
    private final Map<String, Store> stores = new LinkedHashMap<>();
    private final TreeMap<Long, Region> regions = new TreeMap<>();
    private final Set<Long> merged = new TreeSet<>();
    private long nextId = 1;
    private long lastTimestamp;
    private boolean mergesHeld;

    public MemoryPd(
            long clusterId, int apiMode, List<WalNode> walNodes, Clock clock, Scheduler scheduler) {
        this.clusterId = clusterId;
        this.apiMode = apiMode;
        this.walNodes = List.copyOf(walNodes);
        this.clock = clock;
        this.scheduler = scheduler;
    }

    /** A link for one process. */
    public MemoryPdLink link() {
        return new MemoryPdLink(this);
    }

    /** Fails the stores that have not reported for 1.5 s. */
    public void tick() {
        synchronized (this) {
            for (Store store : stores.values()) {
                if (store.up && clock.monotonicNanos() - store.heardNanos > SILENCE.toNanos()) {
                    fail(store.owner.getStoreId());
                }
            }
        }
    }

    /** Declares a store dead: its regions get new terms on other stores. */
    public synchronized void fail(long storeId) {
        for (Store store : stores.values()) {
            if (store.owner.getStoreId() == storeId) {
                store.up = false;
            }
        }
        for (Region region : regions.values()) {
            if (region.owner.getStoreId() == storeId) {
                issue(region, 0);
            }
        }
    }

    /** Orders the owner to hand the region over. */
    public synchronized void move(long regionId, long targetStoreId) {
        move(present(regionId), targetStoreId, MoveStep.MOVE_COLD);
    }

    private void move(Region region, long targetStoreId, MoveStep step) {
        region.moveTo = targetStoreId;
        send(
                region.owner,
                StoreCommand.newBuilder()
                        .setMove(
                                Move.newBuilder()
                                        .setRegionId(region.shape.getRegionId())
                                        .setTerm(region.term)
                                        .setStep(step)
                                        .setTargetStoreId(targetStoreId))
                        .build());
    }

    /** Has a store keep the region warm. */
    public synchronized void follow(long regionId, long storeId) {
        Region region = present(regionId);
        for (Store store : stores.values()) {
            if (store.owner.getStoreId() == storeId) {
                Follow order =
                        Follow.newBuilder().setShape(region.shape).setConfig(region.config).build();
                send(store.owner, StoreCommand.newBuilder().setFollow(order).build());
            }
        }
        move(region, 0, MoveStep.MOVE_PREPARE);
    }

    /** Has a store forget a region that it keeps warm. */
    public synchronized void unfollow(long regionId, long storeId) {
        for (Store store : stores.values()) {
            if (store.owner.getStoreId() == storeId) {
                Unfollow order = Unfollow.newBuilder().setRegionId(regionId).build();
                send(store.owner, StoreCommand.newBuilder().setUnfollow(order).build());
            }
        }
    }

    /** Orders the owner to hand the region over to a store that keeps it warm. */
    public synchronized void moveWarm(long regionId, long targetStoreId) {
        move(present(regionId), targetStoreId, MoveStep.MOVE_WARM);
    }

    /** Orders the owner to split the region in its middle. */
    public synchronized void split(long regionId) {
        Region region = present(regionId);
        send(
                region.owner,
                StoreCommand.newBuilder()
                        .setSplit(
                                SplitOrder.newBuilder()
                                        .setRegionId(regionId)
                                        .setVersion(region.shape.getVersion()))
                        .build());
    }

    /** Gives the region to a store by a new term, without asking the owner. */
    public synchronized void seize(long regionId, long targetStoreId) {
        issue(present(regionId), targetStoreId);
    }

    /** Ids of all regions, ascending. */
    public synchronized List<Long> regionIds() {
        return List.copyOf(regions.keySet());
    }

    public synchronized RegionShape shape(long regionId) {
        return present(regionId).shape;
    }

    public synchronized Owner owner(long regionId) {
        return present(regionId).owner;
    }

    public synchronized long term(long regionId) {
        return present(regionId).term;
    }

    /** Newest report of the present owner at the present term, or null. */
    public synchronized @Nullable RegionReport report(long regionId) {
        Region region = present(regionId);
        RegionReport report = region.report;
        return report != null && report.getTerm() == region.term ? report : null;
    }

    synchronized RegisterStoreResponse register(RegisterStoreRequest request) {
        if (request.getApiMode() != apiMode) {
            throw PdException.refused(
                    "the cluster runs in api mode " + apiMode + ", this store in another");
        }
        Store store = stores.computeIfAbsent(request.getAddress(), a -> new Store());
        long id = store.owner.getStoreId() == 0 ? nextId++ : store.owner.getStoreId();
        Owner before = store.owner;
        store.owner = Owner.newBuilder().setStoreId(id).setIncarnation(nextId++).build();
        store.up = true;
        store.listener = null;
        store.heardNanos = clock.monotonicNanos();
        for (Region region : regions.values()) {
            if (region.owner.equals(before) || region.owner.getStoreId() == 0) {
                issue(region, 0);
            }
        }
        if (regions.isEmpty()) {
            bootstrap();
        }
        return RegisterStoreResponse.newBuilder()
                .setClusterId(clusterId)
                .setOwner(store.owner)
                .setSettings(
                        ClusterSettings.newBuilder().setApiMode(apiMode).setVoters(walNodes.size()))
                .build();
    }

    private void bootstrap() {
        Region region = new Region();
        VoterConfig.Builder config = VoterConfig.newBuilder().setGeneration(1);
        walNodes.forEach(node -> config.addWalIds(node.getWalId()));
        region.config = config.build();
        region.shape = RegionShape.newBuilder().setRegionId(nextId++).setVersion(1).build();
        region.origin = Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
        regions.put(region.shape.getRegionId(), region);
        issue(region, 0);
    }

    synchronized void opened(Owner owner, PdLink.ReportListener listener) {
        Store store = storeOf(owner);
        if (store != null) {
            store.listener = listener;
            send(
                    owner,
                    StoreCommand.newBuilder()
                            .setWalNodes(WalNodes.newBuilder().addAllNodes(walNodes))
                            .build());
        } else {
            Fenced fenced = Fenced.newBuilder().setReason("a newer process runs").build();
            deliver(listener, StoreCommand.newBuilder().setFenced(fenced).build());
        }
    }

    synchronized void reported(StoreReport report) {
        Owner owner = report.getOwner();
        Store store = storeOf(owner);
        if (store == null) {
            return;
        }
        store.heardNanos = clock.monotonicNanos();
        store.up = !report.getLeaving();
        send(
                owner,
                StoreCommand.newBuilder().setAck(Ack.newBuilder().setSeq(report.getSeq())).build());
        Map<Long, RegionReport> listed = new LinkedHashMap<>();
        for (RegionReport one : report.getRegionsList()) {
            listed.put(one.getShape().getRegionId(), one);
            take(owner, one);
        }
        for (Region region : regions.values()) {
            if (region.owner.getStoreId() == 0 && store.up) {
                issue(region, 0);
            }
            boolean missing = !listed.containsKey(region.shape.getRegionId());
            if (report.getFull() && missing && region.owner.equals(owner)) {
                assign(region);
            }
        }
    }

    private void take(Owner owner, RegionReport report) {
        Region region = regions.get(report.getShape().getRegionId());
        if (region == null) {
            return;
        }
        if (!region.owner.equals(owner) || region.term != report.getTerm()) {
            if (report.getTerm() < region.term) {
                Revoke revoke =
                        Revoke.newBuilder()
                                .setRegionId(report.getShape().getRegionId())
                                .setTerm(region.term)
                                .build();
                send(owner, StoreCommand.newBuilder().setRevoke(revoke).build());
            }
            if (region.owner.equals(owner)) {
                assign(region);
            }
            return;
        }
        region.report = report;
        if (report.getShape().getVersion() > region.shape.getVersion()) {
            region.shape = report.getShape();
        }
        if (report.getState() == RegionState.LEADING) {
            region.origin = null;
        } else if (report.getState() == RegionState.RELEASED) {
            issue(region, region.moveTo);
            region.moveTo = 0;
        } else if (report.getState() == RegionState.FAILED) {
            issue(region, 0);
        }
    }

    synchronized AskSplitResponse askSplit(AskSplitRequest request) {
        Region parent = present(request.getParent().getRegionId());
        AskSplitResponse.Builder response = AskSplitResponse.newBuilder();
        for (int i = 0; i < request.getChildren(); i++) {
            response.addChildren(
                    ChildIds.newBuilder()
                            .setRegionId(nextId++)
                            .setPeerId(nextId++)
                            .setFirstTerm(1)
                            .setConfig(parent.config.toBuilder().setGeneration(1)));
        }
        return response.build();
    }

    synchronized ReportSplitResponse split(ReportSplitRequest request) {
        Region parent = present(request.getParent().getRegionId());
        if (request.getParent().getVersion() > parent.shape.getVersion()) {
            parent.shape = request.getParent();
        }
        ReportSplitResponse.Builder response = ReportSplitResponse.newBuilder();
        for (SplitChild child : request.getChildrenList()) {
            if (merged.contains(child.getShape().getRegionId())) {
                response.addGoneRegionIds(child.getShape().getRegionId());
                continue;
            }
            if (regions.containsKey(child.getShape().getRegionId())) {
                continue;
            }
            Region region = new Region();
            region.shape = child.getShape();
            region.config = child.getConfig();
            region.origin =
                    Origin.newBuilder()
                            .setSplit(
                                    SplitOrigin.newBuilder()
                                            .setParentRegionId(parent.shape.getRegionId())
                                            .setSplitIndex(child.getSplitIndex())
                                            .setFirstRecord(child.getFirstRecord()))
                            .build();
            region.owner = child.getFirstOwner();
            region.term = child.getFirstTerm();
            regions.put(region.shape.getRegionId(), region);
            Store store = storeOf(region.owner);
            if (store == null || !store.up) {
                issue(region, 0);
            }
        }
        return response.build();
    }

    /** Orders the owner of both to have one region take the other over. */
    public synchronized void merge(long sourceId, long targetId) {
        Region source = present(sourceId);
        Region target = present(targetId);
        MergeOrder order =
                MergeOrder.newBuilder()
                        .setSource(source.shape)
                        .setSourceTerm(source.term)
                        .setTarget(target.shape)
                        .setTargetTerm(target.term)
                        .build();
        send(target.owner, StoreCommand.newBuilder().setMerge(order).build());
    }

    /** Takes no report of a merge, as if it had no majority, or takes them again. */
    public synchronized void holdMerges(boolean held) {
        mergesHeld = held;
    }

    /** Sends an order to a region's owner. */
    public synchronized void order(long regionId, StoreCommand command) {
        send(present(regionId).owner, command);
    }

    synchronized void merged(ReportMergeRequest request) {
        if (mergesHeld) {
            throw PdException.unavailable("merges are held");
        }
        Region target = present(request.getTarget().getRegionId());
        long sourceId = request.getSource().getShape().getRegionId();
        if (regions.remove(sourceId) != null) {
            merged.add(sourceId);
            target.shape =
                    target.shape.toBuilder()
                            .setStartKey(request.getTarget().getStartKey())
                            .setEndKey(request.getTarget().getEndKey())
                            .setVersion(request.getTarget().getVersion())
                            .build();
        }
    }

    synchronized JudgeMergeResponse judge(JudgeMergeRequest request) {
        MergeVerdict verdict = MergeVerdict.MERGE_UNDECIDED;
        Region source = regions.get(request.getSourceRegionId());
        Region target = regions.get(request.getTargetRegionId());
        if (source == null) {
            verdict = MergeVerdict.MERGE_COMMITTED;
        } else if (target == null) {
            verdict = MergeVerdict.MERGE_VOID;
        } else if (target.term <= request.getTargetTerm()) {
            // Nobody else can know what it has in its log.
            issue(target, target.owner.getStoreId());
        } else if (target.report != null
                && target.report.getState() == RegionState.LEADING
                && !covers(target.report.getShape(), source.shape)) {
            verdict = MergeVerdict.MERGE_VOID;
        }
        return JudgeMergeResponse.newBuilder().setVerdict(verdict).build();
    }

    private static boolean covers(RegionShape whole, RegionShape part) {
        Comparator<ByteString> order = ByteString.unsignedLexicographicalComparator();
        return order.compare(whole.getStartKey(), part.getStartKey()) <= 0
                && (whole.getEndKey().isEmpty()
                        || order.compare(part.getStartKey(), whole.getEndKey()) < 0);
    }

    /** A new term: to the store given, else to the one with the fewest regions. */
    private void issue(Region region, long storeId) {
        Store chosen = null;
        long fewest = Long.MAX_VALUE;
        for (Store store : stores.values()) {
            long id = store.owner.getStoreId();
            long count = regions.values().stream().filter(r -> r.owner.equals(store.owner)).count();
            if (store.up && (storeId == id || (storeId == 0 && count < fewest))) {
                chosen = store;
                fewest = count;
            }
        }
        if (chosen == null) {
            region.owner = Owner.getDefaultInstance();
            return;
        }
        if (chosen.owner.getStoreId() != region.owner.getStoreId()) {
            region.shape =
                    region.shape.toBuilder()
                            .setPeerId(nextId++)
                            .setConfVer(region.shape.getConfVer() + 1)
                            .build();
        }
        region.owner = chosen.owner;
        region.term++;
        region.report = null;
        assign(region);
    }

    private void assign(Region region) {
        Assign.Builder assign =
                Assign.newBuilder()
                        .setShape(region.shape)
                        .setTerm(region.term)
                        .setConfig(region.config);
        if (region.origin != null) {
            assign.setOrigin(region.origin);
        }
        send(region.owner, StoreCommand.newBuilder().setAssign(assign).build());
    }

    synchronized long timestamp() {
        lastTimestamp = Math.max(lastTimestamp + 1, clock.wallMillis() << 18);
        return lastTimestamp;
    }

    private Region present(long regionId) {
        Region region = regions.get(regionId);
        if (region == null) {
            throw PdException.refused("region " + regionId + " is unknown");
        }
        return region;
    }

    private @Nullable Store storeOf(Owner owner) {
        for (Store store : stores.values()) {
            if (store.owner.equals(owner)) {
                return store;
            }
        }
        return null;
    }

    private void send(Owner owner, StoreCommand command) {
        Store store = storeOf(owner);
        if (store != null && store.listener != null) {
            deliver(store.listener, command);
        }
    }

    private void deliver(PdLink.ReportListener listener, StoreCommand command) {
        scheduler.after(Duration.ZERO, () -> listener.onCommand(command));
    }

    /** Runs a call as a remote one would: failures arrive in the future, on another thread. */
    <T> CompletableFuture<T> later(Supplier<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        scheduler.after(
                Duration.ZERO,
                () -> {
                    try {
                        result.complete(call.get());
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                });
        return result;
    }
}
