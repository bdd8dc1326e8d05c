package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
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
    private final Birth birth;
    private SplitCheck splitCheck;
    private WriteLoad load;
    private @Nullable SplitJob split;
    private @Nullable HandOver handOver;
    private @Nullable FlashbackChange flashback;
    private List<CompletableFuture<ObjectRef>> recordWanted = new ArrayList<>();
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
        show();
        handle.lease(regionLog.lease());
        env.directory().serving(handle);
        reports.serving(this);
        children.add(machine.state().pendingChildren());
        publication.trim();
        birth.advance();
    }

    /** Proposes what waits for it. */
    void submit() {
        if (split != null) {
            split.submit();
        }
        if (flashback != null) {
            flashback.submit();
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
                && split == null
                && handOver == null
                && flashback == null
                && children.isEmpty()
                && birth.isDone();
    }

    /** Lets a split go on. */
    void advance() {
        birth.advance();
        publishWanted();
        SplitJob job = split;
        if (job != null) {
            job.advance();
            if (job.isOver()) {
                split = null;
            }
        }
    }

    void tick() {
        publication.tick();
        if (split != null) {
            split.tick();
        }
        children.tick();
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
        return split != null || handOver != null || flashback != null;
    }

    private void show() {
        handle.serve(
                new RegionHandle.Serving(
                        machine.shape(), tablet, machine.state().flashbackStartTs()));
    }

    private void markDirty(Entry entry) {
        if (entry.getKind() != EntryKind.NOOP && entry.getKind() != EntryKind.MANIFEST_COMMIT) {
            publication.dirty(entry.getIndex());
        }
    }

    private void countUnpublished() {
        long now = tablet.unpublishedBytes();
        env.budget().unpublished(now - unpublishedBytes);
        splitCheck.grown(Math.max(0, now - unpublishedBytes));
        unpublishedBytes = now;
    }

    private void outcome(Entry entry, Outcome outcome) {
        if (outcome instanceof Outcome.Published published) {
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
        } else if (outcome instanceof Outcome.Refused none) {
            log.info(
                    "region {} entry {} is void: {}",
                    regionLog.regionId(),
                    entry.getIndex(),
                    none.reason());
            publication.refused(entry.getIndex(), none.reason());
            if (split != null) {
                split.refused(entry.getIndex(), none.reason());
            }
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
        } else if (isChanging()) {
            result.completeExceptionally(Failures.busy("the region is split or moved", 200));
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
        } else if (isChanging()) {
            result.completeExceptionally(Failures.busy("the region is split or moved", 200));
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
        if (handOver == null && split == null && publication.isIdle()) {
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
        } else if (!isChanging()) {
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
    }

    /** The region is gone from here. */
    void end() {
        env.budget().unpublished(-unpublishedBytes);
        unpublishedBytes = 0;
    }
}
