package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A region that has its tablet: applies what is committed, and runs what changes the region itself,
 * one at a time: publications, a split, a hand-over. Belongs to the region's loop.
 */
final class LedRegion {
    private static final Logger log = LoggerFactory.getLogger(LedRegion.class);

    /** A standby that is to be made replays so much without further ado. */
    private static final long PREPARED_BYTES = 1 << 20;

    private final RegionEnv env;
    private final RegionPeer peer;
    private final RegionLog regionLog;
    private final RegionHandle handle;
    private final Proposals proposals;
    private final PeerReports reports;
    private final Tablet tablet;
    private final RegionMachine machine;
    private final LogApplier applier;
    private final TabletWork work;
    private final Publication publication;
    private final ChildDuties children;
    private final MergeDuties merges;
    private final Birth birth;
    private SplitCheck splitCheck;
    private WriteLoad load;
    private @Nullable SplitJob split;
    private @Nullable HandOver handOver;
    private @Nullable FlashbackChange flashback;
    private List<CompletableFuture<ObjectRef>> recordWanted = new ArrayList<>();
    private @Nullable MergeJob merge;
    private @Nullable MergeSource leaving;
    private @Nullable MergeFence fence;
    private @Nullable Adoption adoption;
    private boolean serving;
    private long unpublishedBytes;

    LedRegion(
            RegionEnv env,
            RegionPeer peer,
            Proposals proposals,
            PeerReports reports,
            TabletOpening.Opened opened,
            TabletWork work) {
        this.env = env;
        this.peer = peer;
        this.regionLog = peer.regionLog();
        this.handle = peer.handle();
        this.proposals = proposals;
        this.reports = reports;
        this.tablet = opened.tablet();
        this.machine = opened.machine();
        this.work = work;
        this.applier = new LogApplier(machine, tablet, this::outcome);
        this.publication = new Publication(env, regionLog, machine, tablet, work, peer::touch);
        this.children = new ChildDuties(env, peer, this);
        this.merges = new MergeDuties(env, peer, this);
        this.birth = new Birth(env, peer, this);
        this.splitCheck = new SplitCheck(env.options().splitBytes());
        this.load = new WriteLoad(env.options().splitWrites(), env.nowNanos());
    }

    RegionLog regionLog() {
        return regionLog;
    }

    Tablet tablet() {
        return tablet;
    }

    RegionMachine machine() {
        return machine;
    }

    TabletWork work() {
        return work;
    }

    Publication publication() {
        return publication;
    }

    /** Whether the tablet has all entries that the log has handed out. */
    boolean hasAppliedAll() {
        return applier.isDone();
    }

    Proposals proposals() {
        return proposals;
    }

    /** Takes requests from now on; {@code replayed} entries lie behind the record. */
    void serve(List<Entry> replayed) {
        replayed.forEach(this::markDirty);
        if (tablet.unpublishedBytes() > 0) {
            publication.dirty(tablet.applied().index());
        }
        countUnpublished();
        serving = true;
        RegionMachine.Fence sealed = machine.fence();
        if (sealed != null) {
            publication.hold();
            proposals.pause();
            seal(sealed);
            log.info("region {} is sealed for a merge", regionLog.regionId());
            return;
        }
        display();
        children.add(machine.state().pendingChildren());
        merges.add(machine.state().merges());
        publication.trim();
        birth.advance();
    }

    /** Takes requests, and says so. */
    private void display() {
        show();
        handle.lease(regionLog.lease());
        env.directory().serving(handle);
        reports.serving(this);
    }

    /** Proposes what waits for it. */
    void submit() {
        if (split != null) {
            split.submit();
        }
        if (flashback != null) {
            flashback.submit();
        }
        if (merge != null) {
            merge.submit();
        }
        if (leaving != null) {
            leaving.submit();
        }
        if (fence != null) {
            fence.submit();
        }
        if (adoption != null) {
            adoption.submit();
        }
        publication.submit();
        proposals.submit(regionLog, machine.state());
    }

    /** Applies what is committed, and acknowledges it. */
    void applyCommitted() {
        // What the tablet could not take yet stays before what comes, and keeps it in the window.
        if (applier.isDone()) {
            List<Entry> entries = regionLog.read();
            if (entries.isEmpty()) {
                return;
            }
            entries.forEach(this::markDirty);
            reports.written(entries);
            load.written(entries);
            if (split != null) {
                split.committed(entries);
            }
            if (merge != null) {
                merge.committed(entries);
            }
            if (leaving != null) {
                leaving.committed(entries);
            }
            if (adoption != null) {
                adoption.committed(entries);
            }
            applier.add(entries);
        }
        if (applier.drain()) {
            peer.touch();
        }
        countUnpublished();
        proposals.applied(tablet.applied().index(), env.nowNanos(), env.metrics());
    }

    /** Whether nothing is to be done until somebody asks for it. */
    boolean atRest() {
        return isQuiet() && reports.isCurrent(this);
    }

    /** The same but for a report of what has been done. */
    boolean isQuiet() {
        return applier.isDone()
                && publication.atRest()
                && !isChanging()
                && adoption == null
                && tablet.lent() == null
                && fence == null
                && children.isEmpty()
                && merges.isEmpty()
                && birth.isDone();
    }

    /** Lets what is under way go on. */
    void advance() {
        birth.advance();
        publishWanted();
        if (leaving != null) {
            leaving.advance();
        }
        MergeJob merging = merge;
        if (merging != null) {
            merging.advance();
            if (merging.isOver()) {
                merge = null;
            }
        }
        SplitJob job = split;
        if (job != null) {
            job.advance();
            if (job.isOver()) {
                split = null;
            }
        }
        Adoption under = adoption;
        if (under != null) {
            under.advance(isWhole());
            if (under.isOver()) {
                adoption = null;
            }
        }
    }

    /** Whether nothing changes the region, and nobody depends on it who may. */
    private boolean isWhole() {
        return serving
                && !isChanging()
                && fence == null
                && children.isEmpty()
                && merges.isEmpty()
                && birth.isDone();
    }

    /** A compaction that the tablet leaves to others goes to whoever waits for one. */
    private void lendCompaction() {
        LentCompaction lent = adoption == null ? tablet.lent() : null;
        if (lent != null) {
            adoption = isWhole() ? Adoption.begin(env, peer, this, lent) : null;
            if (adoption == null) {
                tablet.takeBack();
            }
            reports.serving(this);
        }
    }

    /** The record before the first upload by somebody else that may still be named; or null. */
    @Nullable ObjectRef uploadsSince() {
        return adoption == null ? null : adoption.since();
    }

    /** Takes over what the same region was about with its former tablet. */
    void inherit(LedRegion former) {
        load = former.load;
        splitCheck = former.splitCheck;
        recordWanted.addAll(former.recordWanted);
        former.recordWanted = new ArrayList<>();
        publication.inherit(former.publication);
    }

    void tick() {
        publication.tick();
        if (adoption != null) {
            adoption.tick();
        }
        if (split != null) {
            split.tick();
        }
        if (merge != null) {
            merge.tick();
        }
        if (leaving != null && leaving.isDone()) {
            leaving = null;
        }
        if (fence != null) {
            fence.tick(leaving != null && leaving.isDeciding());
            return;
        }
        children.tick();
        merges.tick();
        lendCompaction();
        reports.refresh(this);
        boolean busy = load.isTooHigh(env.nowNanos());
        if (flashback != null) {
            flashback.tick(env.nowNanos());
        }
        if (isChanging() || machine.state().flashbackStartTs() != 0) {
            return;
        }
        ByteString key = busy ? load.takeKey(machine.shape()) : null;
        if (key != null) {
            log.info("region {} is split for its load of writes", regionLog.regionId());
            split(machine.shape().getVersion(), List.of(key), new CompletableFuture<>());
        } else if (splitCheck.due(this)) {
            split(machine.shape().getVersion(), List.of(), new CompletableFuture<>());
        }
    }

    private boolean isChanging() {
        return split != null
                || handOver != null
                || flashback != null
                || merge != null
                || leaving != null
                || (adoption != null && adoption.isChanging());
    }

    private void show() {
        handle.serve(
                new RegionHandle.Serving(
                        machine.shape(), tablet, machine.state().flashbackStartTs()));
    }

    private void markDirty(Entry entry) {
        switch (entry.getKind()) {
            // A seal is never in a record: nothing is published while it holds.
            case NOOP, MANIFEST_COMMIT, PREPARE_MERGE, ROLLBACK_MERGE -> {}
            default -> publication.dirty(entry.getIndex());
        }
    }

    private void countUnpublished() {
        long now = tablet.unpublishedBytes();
        env.budget().unpublished(now - unpublishedBytes);
        splitCheck.grown(Math.max(0, now - unpublishedBytes));
        unpublishedBytes = now;
    }

    private void outcome(Entry entry, Outcome outcome) {
        if (outcome instanceof Outcome.Published
                && adoption != null
                && adoption.isOwn(entry.getIndex())) {
            adoption.applied();
        } else if (outcome instanceof Outcome.Published published) {
            publication.published(entry.getIndex(), published.commit());
        } else if (outcome instanceof Outcome.HasSplit hasSplit) {
            reshaped(entry, hasSplit.children());
        } else if (outcome instanceof Outcome.ChildGone gone) {
            children.remove(gone.childRegionId());
            if (serving) {
                publication.trim();
            }
        } else if (outcome instanceof Outcome.Flashbacked changed) {
            flashbacked(entry, changed.startTs());
        } else if (outcome instanceof Outcome.Sealed sealed) {
            sealed(sealed.by());
        } else if (outcome instanceof Outcome.Unsealed) {
            unsealed();
        } else if (outcome instanceof Outcome.Merged) {
            merged(entry);
        } else if (outcome instanceof Outcome.MergeDone done) {
            merges.remove(done.sourceRegionId());
            if (serving) {
                publication.trim();
            }
        } else if (outcome instanceof Outcome.Refused none) {
            log.info(
                    "region {} entry {} is void: {}",
                    regionLog.regionId(),
                    entry.getIndex(),
                    none.reason());
            publication.refused(entry.getIndex(), none.reason());
            if (adoption != null) {
                adoption.refused(entry.getIndex(), none.reason());
            }
            if (split != null) {
                split.refused(entry.getIndex(), none.reason());
            }
            if (merge != null) {
                merge.refused(entry.getIndex(), none.reason());
            }
            if (leaving != null) {
                leaving.refused(entry.getIndex(), none.reason());
            }
        }
    }

    /** The tablet here has one region's data only: nothing may come of it any more. */
    private void merged(Entry entry) {
        MergeJob job = merge;
        if (job != null && !job.isOver()) {
            job.applied(entry.getIndex());
        } else if (serving) {
            throw Failures.unavailable(
                    regionLog.regionId(), "it has become larger: it is to be opened again");
        }
    }

    /** Withdraws what callers see before the neighbour can take anything in its place. */
    private void sealed(RegionMachine.Fence by) {
        handle.stop();
        seal(by);
        if (leaving != null) {
            leaving.sealed(by.index());
        }
    }

    private void seal(RegionMachine.Fence by) {
        MergeFence sealed = new MergeFence(env, peer, this, by);
        fence = sealed;
        if (leaving != null && leaving.isVoid(by.index())) {
            sealed.open();
        }
    }

    private void unsealed() {
        log.info("region {} is not merged, it serves again", regionLog.regionId());
        fence = null;
        leaving = null;
        if (serving) {
            publication.release();
            proposals.resume();
            display();
        }
    }

    /** Takes over a neighbour that is led by {@code source}, in this process. */
    void merge(MergeOrder order, RegionPeer source) {
        if (merge != null) {
            return;
        }
        KvException obstacle = obstacle(order.getTarget());
        if (obstacle != null || source == peer) {
            refuse(order, obstacle == null ? Failures.invalid("it is one region") : obstacle);
            return;
        }
        MergeJob job = new MergeJob(env, peer, this, source, order);
        merge = job;
        job.start();
    }

    /** Becomes part of a neighbour, which will say when. */
    void mergeInto(RegionPeer target, MergeJob job) {
        KvException obstacle = obstacle(job.sourceShape());
        if (obstacle != null) {
            target.later(() -> job.fail(obstacle));
            return;
        }
        MergeSource side = new MergeSource(peer, this, target, job);
        leaving = side;
        target.later(() -> job.joined(side));
    }

    /** Tells PD why nothing comes of its order. */
    void refuse(MergeOrder order, Throwable error) {
        if (!serving) {
            return;
        }
        boolean lasting =
                error instanceof KvException e && e.error() instanceof KvError.FlashbackInProgress;
        reports.refused(this, order, error.getMessage(), lasting);
    }

    /**
     * What keeps the region, known as {@code known}, from a merge: its log and its tablet must be
     * its own, and nothing else about to change it. Null: nothing.
     */
    private @Nullable KvException obstacle(RegionShape known) {
        long flashbackTs = machine.state().flashbackStartTs();
        if (flashbackTs != 0) {
            return Failures.flashback(regionLog.regionId(), flashbackTs);
        }
        PreparedRecord base = tablet.base();
        if (base == null || base.record().getAppliedIndex() == 0) {
            birth.begin();
            return Failures.busy("a region has not been published yet", 200);
        }
        boolean fits = known.getVersion() == machine.shape().getVersion();
        boolean free =
                serving
                        && !isChanging()
                        && fence == null
                        && machine.state().pendingChildren().isEmpty()
                        && machine.state().merges().isEmpty()
                        && regionLog.voterChange() == null;
        return fits && free ? null : Failures.busy("a region is changing otherwise", 200);
    }

    /** The neighbour will never commit the merge. */
    void mergeIsVoid(MergeJob job) {
        if (leaving != null && leaving.isOf(job)) {
            leaving.cancel();
            if (fence != null) {
                fence.open();
            }
        }
    }

    /** The neighbour does not know whether it has. */
    void mergeIsUndecided(MergeJob job) {
        if (leaving != null && leaving.isOf(job)) {
            leaving.release();
        }
    }

    private void flashbacked(Entry entry, long startTs) {
        log.info(
                "region {} is {}",
                regionLog.regionId(),
                startTs == 0 ? "open after a flashback" : "shut for a flashback");
        if (serving) {
            show();
            reports.serving(this);
        }
        FlashbackChange change = flashback;
        if (change != null) {
            change.applied(entry.getIndex());
            flashback = change.isOver() ? null : change;
        }
    }

    /** The region has split: shows its new shape before any child can serve. */
    private void reshaped(Entry entry, List<SplitChild> pending) {
        if (serving) {
            show();
            reports.serving(this);
            // Before the children ask their voters to be opened.
            children.add(pending);
            for (SplitChild child : pending) {
                if (child.getFirstOwner().equals(env.owner())) {
                    begin(child, entry.getIndex());
                }
            }
        }
        splitCheck = new SplitCheck(env.options().splitBytes());
        load = new WriteLoad(env.options().splitWrites(), env.nowNanos());
        if (split != null) {
            split.applied(entry.getIndex(), machine.shape());
        }
    }

    /** Opens a child here: PD has issued its first term to this process. */
    private void begin(SplitChild child, long index) {
        WarmTablet warm = split == null ? null : split.take(child.getShape().getRegionId(), index);
        env.assign(
                Assign.newBuilder()
                        .setShape(child.getShape())
                        .setTerm(child.getFirstTerm())
                        .setConfig(child.getConfig())
                        .setOrigin(ChildDuties.origin(regionLog.regionId(), child))
                        .build(),
                warm);
    }

    /** Splits at {@code keys}; none: in the middle, if there is one. */
    void split(long version, List<ByteString> keys, CompletableFuture<List<RegionShape>> result) {
        RegionShape shape = machine.shape();
        if (shape.getVersion() != version) {
            result.completeExceptionally(handle.wrongVersion(version));
        } else if (machine.state().flashbackStartTs() != 0) {
            result.completeExceptionally(
                    Failures.flashback(shape.getRegionId(), machine.state().flashbackStartTs()));
        } else if (isChanging() || fence != null || !machine.state().merges().isEmpty()) {
            result.completeExceptionally(
                    Failures.busy("the region is split, moved or merged", 200));
        } else if (!divides(shape, keys)) {
            result.completeExceptionally(
                    Failures.invalid("split keys must lie inside the region, in ascending order"));
        } else {
            SplitJob job = new SplitJob(env, peer, this, keys, result);
            split = job;
            job.start();
        }
    }

    /** Shuts the region for a flashback, or opens it: {@code startTs} 0. */
    void flashback(long version, long startTs, CompletableFuture<Void> result) {
        if (machine.shape().getVersion() != version) {
            result.completeExceptionally(handle.wrongVersion(version));
        } else if (isChanging() || fence != null) {
            result.completeExceptionally(
                    Failures.busy("the region is split, moved or merged", 200));
        } else {
            long deadline = env.nowNanos() + env.options().proposalTimeout().toNanos();
            flashback = new FlashbackChange(this, startTs, deadline, result);
        }
    }

    private static boolean divides(RegionShape shape, List<ByteString> keys) {
        ByteString before = shape.getStartKey();
        for (ByteString key : keys) {
            if (!RegionRange.isInner(shape, key)
                    || RegionRange.KEY_ORDER.compare(before, key) >= 0) {
                return false;
            }
            before = key;
        }
        return true;
    }

    /** Publishes what is applied by now, if it is not; a region without a record gets one. */
    void publish(CompletableFuture<ObjectRef> result) {
        recordWanted.add(result);
        if (tablet.base() == null && birth.isDone()) {
            birth.begin();
        }
        publishWanted();
    }

    private void publishWanted() {
        if (recordWanted.isEmpty() || !birth.isDone()) {
            return;
        }
        List<CompletableFuture<ObjectRef>> wanted = recordWanted;
        recordWanted = new ArrayList<>();
        publication.request(error -> wanted.forEach(each -> publishedFor(each, error)));
    }

    private void publishedFor(CompletableFuture<ObjectRef> wanted, @Nullable Throwable error) {
        if (error == null) {
            wanted.complete(Invariants.present(machine.record(), "record"));
        } else {
            wanted.completeExceptionally(error);
        }
    }

    /** Publishes what is not yet, unless something under way does so anyway. */
    void makeRoom() {
        if (!isChanging() && fence == null && publication.isIdle()) {
            publication.request(error -> {});
        }
    }

    /** PD's order to hand the region over, or to get ready. Repeated orders change nothing. */
    void handOver(MoveStep step) {
        if (step == MoveStep.MOVE_PREPARE && tablet.base() == null) {
            birth.begin();
        } else if (step == MoveStep.MOVE_PREPARE) {
            // A standby opens anew at each record: a short tail of the log is less for it to do.
            if (tablet.unpublishedBytes() > PREPARED_BYTES) {
                publication.request(error -> {});
            }
        } else if (!isChanging() && fence == null) {
            handOver = new HandOver(peer, this);
            handOver.start(step == MoveStep.MOVE_WARM);
        }
    }

    /** The hand-over has been given up: the region serves on. */
    void handOverFailed() {
        handOver = null;
    }

    /** Nothing is begun any more; what is committed is still applied. */
    void stop() {
        serving = false;
        publication.end(Failures.notLeader(regionLog.regionId()));
        recordWanted.forEach(
                each -> each.completeExceptionally(Failures.notLeader(regionLog.regionId())));
        recordWanted.clear();
        if (split != null) {
            split.fail(Failures.notLeader(regionLog.regionId()));
            split = null;
        }
        if (flashback != null) {
            flashback.fail(Failures.notLeader(regionLog.regionId()));
            flashback = null;
        }
        if (merge != null) {
            merge.fail(Failures.notLeader(regionLog.regionId()));
            merge = null;
        }
        if (leaving != null) {
            leaving.fail(Failures.notLeader(regionLog.regionId()));
            leaving = null;
        }
        if (adoption != null) {
            // Not forgotten: its entry may still be committed.
            adoption.fail("the region is not served here any more");
        }
    }

    /** The region is gone from here. */
    void end() {
        env.budget().unpublished(-unpublishedBytes);
        unpublishedBytes = 0;
    }
}
