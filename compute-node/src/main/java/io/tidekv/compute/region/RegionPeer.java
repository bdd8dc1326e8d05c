package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Invariants;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.region.core.LeaderPhase;
import io.tidekv.compute.region.core.LeaderRules;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A region in one term on this store, from PD's assignment to its end: opens the log, then the
 * tablet, serves, and hands over or is fenced. Belongs to its loop, which calls {@link #submit} and
 * {@link #settle} in each round that concerns it. What goes wrong in one region ends that region
 * only.
 */
final class RegionPeer {
    private static final Logger log = LoggerFactory.getLogger(RegionPeer.class);

    private enum Life {
        /** The leader collects its voters, the committed log is read. */
        OPENING,
        /** The tablet is opened and brought to the end of the log. */
        LOADING,
        SERVING,
        /** Serves nothing any more; waits for what is under way and for the voters. */
        LEAVING,
        ENDED
    }

    /** What exists while the region has its tablet. */
    record Led(
            RegionLeader leader,
            Tablet tablet,
            RegionMachine machine,
            LogApplier applier,
            TabletWork work,
            Publication publication,
            Proposals proposals) {}

    private final RegionEnv env;
    private final RegionLoop loop;
    private final Assign assign;
    private final RegionHandle handle;
    private final RegionLeader leader;
    private final Proposals proposals;
    private final ConfirmedReads reads;
    private final PeerReports reports;
    private final OpeningRetry retry;
    private final TabletWork work;

    private Life life = Life.OPENING;
    private @Nullable LogTail tail;
    private @Nullable Led led;
    private @Nullable ChildDuties children;
    private @Nullable SplitJob split;
    private @Nullable HandOver handOver;
    private SplitCheck splitCheck;
    private long leavingDeadlineNanos;
    private long unpublishedBytes;

    RegionPeer(RegionEnv env, RegionLoop loop, Assign assign) {
        this.env = env;
        this.loop = loop;
        this.assign = assign;
        RegionShape shape = assign.getShape();
        this.handle = new RegionHandle(env, loop, shape, assign.getTerm());
        this.leader =
                new RegionLeader(
                        env.options().leader(),
                        LeaderRules.RIGHT,
                        shape.getRegionId(),
                        assign.getTerm(),
                        env.owner(),
                        assign.getConfig(),
                        assign.hasOrigin() ? assign.getOrigin() : null,
                        loop.renewer(),
                        loop.outbox());
        this.proposals =
                new Proposals(shape.getRegionId(), env.options().joinBytes(), handle::wrongVersion);
        this.reads = new ConfirmedReads(shape.getRegionId(), env.options().readTimeout().toNanos());
        this.reports = new PeerReports(env, handle, assign.getTerm());
        this.retry = new OpeningRetry();
        this.work = new TabletWork(env.publishers(), loop::execute);
        this.splitCheck = new SplitCheck(env.options().splitBytes());
    }

    long id() {
        return assign.getShape().getRegionId();
    }

    long term() {
        return assign.getTerm();
    }

    RegionLeader leader() {
        return leader;
    }

    RegionHandle handle() {
        return handle;
    }

    RegionLoop loop() {
        return loop;
    }

    boolean isOpening() {
        return life == Life.OPENING || life == Life.LEAVING;
    }

    boolean isAlive() {
        return life != Life.ENDED;
    }

    void touch() {
        loop.touch(this);
    }

    /** Runs {@code step} on the loop, if the region is still here then. Thread-safe. */
    void later(Runnable step) {
        loop.execute(
                () -> {
                    if (isAlive()) {
                        guard(step);
                        touch();
                    }
                });
    }

    /** Runs {@code step}; what it throws ends this region and no other. */
    void guard(Runnable step) {
        if (!isAlive()) {
            return;
        }
        try {
            step.run();
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    void start() {
        Clock.Reading now = env.clock().read();
        reports.state(RegionState.OPENING, "", leader.config());
        leader.start(now);
        for (long walId : loop.connectedNodes()) {
            leader.onConnected(walId, now);
        }
    }

    // ---- requests

    void write(Proposal proposal) {
        if (life == Life.SERVING) {
            proposals.add(proposal);
        } else {
            proposal.result().completeExceptionally(Failures.notLeader(id()));
        }
    }

    void read(long version, CompletableFuture<KvSnapshot> result) {
        if (life == Life.SERVING) {
            reads.add(leader, version, env.clock().read(), result);
        } else {
            result.completeExceptionally(Failures.notLeader(id()));
        }
    }

    /** Splits at {@code keys}; none: in the middle, if there is one. */
    void split(long version, List<ByteString> keys, CompletableFuture<List<RegionShape>> result) {
        Led now = led;
        if (now == null || life != Life.SERVING) {
            result.completeExceptionally(Failures.notLeader(id()));
            return;
        }
        RegionShape shape = now.machine.shape();
        if (shape.getVersion() != version) {
            result.completeExceptionally(handle.wrongVersion(version));
            return;
        }
        if (split != null || handOver != null) {
            result.completeExceptionally(Failures.busy("the region is split or moved", 200));
            return;
        }
        ByteString before = shape.getStartKey();
        for (ByteString key : keys) {
            if (!RegionRange.isInner(shape, key)
                    || RegionRange.KEY_ORDER.compare(before, key) >= 0) {
                result.completeExceptionally(
                        Failures.invalid(
                                "split keys must lie inside the region, in ascending order"));
                return;
            }
            before = key;
        }
        SplitJob job = new SplitJob(env, this, now, keys, result);
        split = job;
        job.start();
    }

    /** PD's order to hand the region over. Repeated orders change nothing. */
    void handOver() {
        Led now = led;
        if (life == Life.SERVING && now != null && handOver == null && split == null) {
            handOver = new HandOver(this, now);
            handOver.start();
        }
    }

    /** The hand-over has been given up: the region serves on. */
    void handOverFailed() {
        handOver = null;
    }

    /**
     * Stops serving, at once and for good, and gives the region back to its voters. Whoever is let
     * in by them finds nothing that was acknowledged missing.
     */
    void leave(String reason) {
        if (life == Life.LEAVING || life == Life.ENDED) {
            return;
        }
        stopServing();
        life = Life.LEAVING;
        leavingDeadlineNanos =
                env.nowNanos() + (env.options().leader().leaseMs() + 500) * 1_000_000;
        log.info("region {} term {}: leaving, {}", id(), term(), reason);
        leader.beginRelease(env.clock().read());
        touch();
    }

    /** Drops the region without telling anybody: its term is over. */
    void abandon(String reason) {
        if (isAlive()) {
            log.info("region {} term {} ends here: {}", id(), term(), reason);
            end();
            env.directory().forget(id());
        }
    }

    // ---- rounds

    /** First half of a round: everything that is to be sent. */
    void submit(Clock.Reading now) {
        LeaderPhase phase = leader.phase();
        Led serving = led;
        if (life == Life.SERVING && phase != LeaderPhase.LEADING) {
            stopServing();
            life = Life.LEAVING;
            leavingDeadlineNanos =
                    now.monotonicNanos() + (env.options().leader().leaseMs() + 500) * 1_000_000;
            log.info("region {} term {}: stepping down, {}", id(), term(), leader.reason());
        }
        if (life == Life.SERVING && serving != null) {
            if (split != null) {
                split.submit();
            }
            serving.publication.submit();
            proposals.submit(leader, serving.machine.shape().getVersion());
        }
        leader.pump(now);
    }

    /** Second half: what has come of it. */
    void settle(Clock.Reading now) {
        if (life == Life.OPENING) {
            collect();
        }
        Led present = led;
        if (present != null && life != Life.ENDED) {
            applyCommitted(present);
            settleServing();
        }
        LeaderPhase phase = leader.phase();
        if (phase == LeaderPhase.FENCED) {
            abandon("fenced, " + leader.reason());
        } else if (phase == LeaderPhase.FAILED) {
            fail(Failures.unavailable(id(), leader.reason()));
        } else if (phase == LeaderPhase.RELEASED
                || (life == Life.LEAVING && now.monotonicNanos() - leavingDeadlineNanos > 0)) {
            released();
        }
    }

    private void settleServing() {
        if (life != Life.SERVING) {
            return;
        }
        RegionHandle.Serving serving = handle.serving();
        if (serving != null) {
            reads.settle(leader, handle, serving);
            handle.lease(leader.leaseStart());
        }
        SplitJob job = split;
        if (job != null) {
            job.advance();
            if (job.isOver()) {
                split = null;
            }
        }
    }

    /** Timers. */
    void tick(Clock.Reading now) {
        leader.tick(now);
        proposals.expire(now.monotonicNanos());
        reads.expire(now.monotonicNanos());
        Led present = led;
        if (life == Life.SERVING && present != null) {
            present.publication.tick();
            if (split != null) {
                split.tick();
            }
            if (children != null) {
                children.tick();
            }
            reports.refresh(present);
            if (split == null && handOver == null && splitCheck.due(present)) {
                split(handle.shape().getVersion(), List.of(), new CompletableFuture<>());
            }
        }
        if (life == Life.LOADING && retry.isDue(env.nowNanos())) {
            load();
        }
    }

    // ---- opening

    private void collect() {
        LeaderPhase phase = leader.phase();
        if (phase != LeaderPhase.COMPLETING && phase != LeaderPhase.LEADING) {
            return;
        }
        LogTail collected = tail;
        // A voter that joins late may know a newer snapshot; the entries before it may be gone.
        if (collected == null || leader.snapshot().getIndex() > leader.takenIndex()) {
            collected = new LogTail(leader.snapshot());
            leader.rewind(leader.snapshot().getIndex());
            tail = collected;
        }
        collected.add(leader.takeCommitted());
        if (phase == LeaderPhase.LEADING && leader.takenIndex() == leader.commitIndex()) {
            life = Life.LOADING;
            load();
        }
    }

    private void load() {
        LogTail collected = tail;
        if (collected == null) {
            throw new InvariantViolation("a tablet is opened before its log");
        }
        retry.started();
        new TabletWork(env.openers(), loop::execute)
                .run(
                        () ->
                                TabletOpening.open(
                                        env.tablets(), assign.getShape(), collected, env::pause),
                        (opened, error) -> guardLoaded(opened, error, collected));
    }

    private void guardLoaded(
            TabletOpening.@Nullable Opened opened, @Nullable Throwable error, LogTail collected) {
        if (opened != null) {
            env.tabletsOpen().incrementAndGet();
        }
        if (life != Life.LOADING) {
            if (opened != null) {
                closeLater(opened.tablet());
            }
            return;
        }
        if (opened == null) {
            String reason = error == null ? "unknown" : String.valueOf(error.getMessage());
            if (error instanceof InvariantViolation || !retry.again(env.nowNanos())) {
                fail(error instanceof RuntimeException e ? e : new IllegalStateException(error));
            } else {
                log.warn("region {} cannot be opened yet: {}", id(), reason);
                reports.state(RegionState.OPENING, reason, leader.config());
            }
            return;
        }
        guard(() -> serve(opened, collected));
        touch();
    }

    private void serve(TabletOpening.Opened opened, LogTail collected) {
        Publication publication =
                new Publication(env, leader, opened.machine(), opened.tablet(), work, this::touch);
        LogApplier applier = new LogApplier(opened.machine(), opened.tablet(), this::outcome);
        Led now =
                new Led(
                        leader,
                        opened.tablet(),
                        opened.machine(),
                        applier,
                        work,
                        publication,
                        proposals);
        led = now;
        tail = null;
        for (Entry entry : collected.entries()) {
            markDirty(now, entry);
        }
        countUnpublished(now);
        if (leader.phase() != LeaderPhase.LEADING) {
            leave("the term ended while the tablet was opened");
            return;
        }
        life = Life.SERVING;
        handle.serve(new RegionHandle.Serving(opened.machine().shape(), opened.tablet()));
        handle.lease(leader.leaseStart());
        env.directory().serving(handle);
        reports.serving(now);
        children = new ChildDuties(env, this, now);
        children.add(opened.machine().state().pendingChildren());
        log.info(
                "region {} term {} serves from entry {}",
                id(),
                term(),
                opened.tablet().applied().index());
    }

    // ---- applying

    private void applyCommitted(Led present) {
        // What the tablet could not take yet stays before what comes, and keeps it in the window.
        if (present.applier.isDone()) {
            List<Entry> entries = leader.takeCommitted();
            if (entries.isEmpty()) {
                return;
            }
            for (Entry entry : entries) {
                markDirty(present, entry);
            }
            reports.written(entries);
            present.applier.add(entries);
        }
        if (present.applier.drain()) {
            touch();
        }
        countUnpublished(present);
        proposals.applied(present.tablet.applied().index());
    }

    private static void markDirty(Led present, Entry entry) {
        if (entry.getKind() != EntryKind.NOOP && entry.getKind() != EntryKind.MANIFEST_COMMIT) {
            present.publication.dirty(entry.getIndex());
        }
    }

    private void countUnpublished(Led present) {
        long now = present.tablet.unpublishedBytes();
        env.budget().unpublished(now - unpublishedBytes);
        splitCheck.grown(Math.max(0, now - unpublishedBytes));
        unpublishedBytes = now;
    }

    private void outcome(Entry entry, Outcome outcome) {
        Led present = Invariants.present(led, "tablet");
        if (outcome instanceof Outcome.Published published) {
            present.publication.published(entry.getIndex(), published.commit());
        } else if (outcome instanceof Outcome.HasSplit hasSplit) {
            reshaped(present, entry, hasSplit.children());
        } else if (outcome instanceof Outcome.ChildGone gone) {
            if (children != null) {
                children.remove(gone.childRegionId());
            }
        } else if (outcome instanceof Outcome.Refused none) {
            log.info("region {} entry {} is void: {}", id(), entry.getIndex(), none.reason());
            present.publication.refused(entry.getIndex(), none.reason());
            if (split != null) {
                split.refused(entry.getIndex(), none.reason());
            }
        }
    }

    /** The region has split: shows its new shape before any child can serve. */
    private void reshaped(Led present, Entry entry, List<SplitChild> pending) {
        RegionShape rest = present.machine.shape();
        if (life == Life.SERVING) {
            handle.serve(new RegionHandle.Serving(rest, present.tablet));
            reports.serving(present);
            for (SplitChild child : pending) {
                if (child.getFirstOwner().equals(env.owner())) {
                    begin(child);
                }
            }
            if (children != null) {
                children.add(pending);
            }
        }
        splitCheck = new SplitCheck(env.options().splitBytes());
        if (split != null) {
            split.applied(entry.getIndex(), rest);
        }
    }

    /** Opens a child here: PD has issued its first term to this process. */
    private void begin(SplitChild child) {
        env.assign(
                Assign.newBuilder()
                        .setShape(child.getShape())
                        .setTerm(child.getFirstTerm())
                        .setConfig(child.getConfig())
                        .setOrigin(ChildDuties.origin(id(), child))
                        .build());
    }

    // ---- ends

    /** Withdraws what callers see, before anything else happens; refuses what has no effect yet. */
    private void stopServing() {
        handle.stop();
        env.directory().stopped(handle);
        proposals.resume();
        proposals.refuseQueued();
        reads.abandon();
        if (split != null) {
            split.fail(Failures.notLeader(id()));
            split = null;
        }
        if (led != null) {
            led.publication.end(Failures.notLeader(id()));
        }
    }

    private void released() {
        end();
        reports.state(RegionState.RELEASED, "", leader.config());
    }

    private void fail(RuntimeException error) {
        log.error("region {} term {} has failed", id(), term(), error);
        end();
        String reason = error.getMessage() == null ? error.toString() : error.getMessage();
        reports.state(RegionState.FAILED, reason, leader.config());
    }

    private void end() {
        stopServing();
        life = Life.ENDED;
        proposals.abandon();
        loop.ended(this);
        env.budget().unpublished(-unpublishedBytes);
        unpublishedBytes = 0;
        Led last = led;
        led = null;
        if (last != null) {
            closeLater(last.tablet);
        }
    }

    /** Closes behind whatever still works on the tablet. */
    private void closeLater(Tablet tablet) {
        work.run(
                () -> {
                    tablet.close();
                    return id();
                },
                (done, error) -> {
                    env.tabletsOpen().decrementAndGet();
                    if (error != null) {
                        log.warn("the tablet of region {} did not close", id(), error);
                    }
                });
    }
}
