package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.region.log.LogLease;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.region.log.RegionLog.Stage;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ChangeVoters;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A region in one term on this store, from PD's assignment to its end: opens the log, then the
 * tablet, serves, and hands over or is fenced. Belongs to its loop, which calls {@link #submit} and
 * {@link #settle} in each round that concerns it. What goes wrong in one region ends that region
 * only.
 */
final class RegionPeer implements Opening.Listener {
    private static final Logger log = LoggerFactory.getLogger(RegionPeer.class);
    private static final long LEAVING_GRACE_NANOS = 500_000_000L;

    /** Ticks without anything to do after which a region rests. */
    private static final int QUIET_TICKS = 10;

    private enum Life {
        OPENING,
        /** Led, and nothing to be done; the tablet is opened for the next request. */
        RESTING,
        SERVING,
        /** Serves nothing any more; waits for what is under way and for the voters. */
        LEAVING,
        ENDED
    }

    private final RegionEnv env;
    private final RegionLoop loop;
    private final Assign assign;
    private final RegionHandle handle;
    private final RegionLog regionLog;
    private final Proposals proposals;
    private final ConfirmedReads reads;
    private final PeerReports reports;
    private final OpeningWaits waits;
    private final LogEnd logEnd;
    private final TabletWork openers;
    private final TabletWork work;

    private final long assignedNanos;

    private Life life = Life.OPENING;
    private Opening opening;
    // Split off here: nobody else can have led it, and it serves in a moment.
    private final boolean begins;
    // The tablet is opened as soon as the log allows. Otherwise its turn has not come.
    private boolean wanted;
    private @Nullable LedRegion led;
    private long usedNanos;
    private long leavingNanos;
    private int quietTicks;

    /**
     * @param warm the region's tablet as it was kept here before, or null
     * @param begins the region has just been split off on this store, which has its tablet:
     *     requests wait for it from now on
     */
    RegionPeer(
            RegionEnv env,
            RegionLoop loop,
            RegionLog regionLog,
            Assign assign,
            @Nullable WarmTablet warm,
            boolean begins) {
        this.env = env;
        this.loop = loop;
        this.assign = assign;
        this.begins = begins;
        this.assignedNanos = env.nowNanos();
        RegionShape shape = assign.getShape();
        this.handle = new RegionHandle(env, loop, shape, assign.getTerm());
        this.regionLog = regionLog;
        this.proposals =
                new Proposals(shape.getRegionId(), env.options().joinBytes(), handle::wrongVersion);
        this.reads = new ConfirmedReads(shape.getRegionId(), env.options().readTimeout().toNanos());
        this.reports = new PeerReports(env, handle, assign.getTerm());
        this.openers = new TabletWork(env.openers(), loop::execute);
        this.opening = new Opening(env, loop, regionLog, shape, openers, warm, this);
        this.wanted = warm != null;
        this.waits = new OpeningWaits(env.options().readTimeout().toNanos());
        this.logEnd = new LogEnd(regionLog);
        this.work = new TabletWork(env.publishers(), loop::execute);
    }

    long id() {
        return assign.getShape().getRegionId();
    }

    long term() {
        return assign.getTerm();
    }

    RegionLog regionLog() {
        return regionLog;
    }

    RegionHandle handle() {
        return handle;
    }

    RegionLoop loop() {
        return loop;
    }

    /** Whether it waits for voters, so that its timers should be quick. */
    boolean isOpening() {
        return (life == Life.OPENING && (wanted || !logEnd.isKnown())) || life == Life.LEAVING;
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
        wanted = wanted || loop.openings().enter(this);
        reports.state(RegionState.OPENING, "", regionLog.voters());
        if (begins) {
            handle.begin();
            env.directory().beginning(handle);
        }
        regionLog.open(env.clock().read());
    }

    // ---- requests

    private @Nullable LedRegion serving() {
        return life == Life.SERVING ? led : null;
    }

    /** Completes {@code awake} when the tablet is open, which it sees to. */
    void wake(CompletableFuture<Void> awake) {
        whenOpen(awake, present -> awake.complete(null));
    }

    /** Goes on once the region serves; {@code result} fails when it does not. */
    private void whenOpen(CompletableFuture<?> result, Consumer<LedRegion> then) {
        LedRegion present = serving();
        if (present != null) {
            then.accept(present);
        } else if (awaitsTablet()) {
            waits.add(env.nowNanos(), result, () -> whenOpen(result, then));
            open();
        } else {
            result.completeExceptionally(Failures.notLeader(id()));
        }
    }

    /** Whether the tablet will be there for whoever waits for it. */
    private boolean awaitsTablet() {
        return life == Life.RESTING || (life == Life.OPENING && begins);
    }

    /** Somebody looks for the region while it is not served yet. */
    void asked() {
        loop.openings().prefer(this);
    }

    /** A WAL node asks for it: its log is long because of what is not published here. */
    void makeRoom() {
        LedRegion present = serving();
        if (present != null) {
            present.makeRoom();
        }
    }

    void write(Proposal proposal) {
        if (life == Life.SERVING) {
            proposals.add(proposal);
        } else if (awaitsTablet()) {
            whenOpen(proposal.result(), present -> proposals.add(proposal));
        } else {
            proposal.result().completeExceptionally(Failures.notLeader(id()));
        }
    }

    void read(long version, Access access, CompletableFuture<KvSnapshot> result) {
        RegionHandle.Serving shown = handle.serving();
        if (awaitsTablet()) {
            whenOpen(result, present -> read(version, access, result));
            return;
        }
        if (life != Life.SERVING || shown == null) {
            result.completeExceptionally(Failures.notLeader(id()));
            return;
        }
        Clock.Reading now = env.clock().read();
        LogLease lease = regionLog.lease();
        boolean leased = lease != null && lease.covers(now);
        if (leased && shown.refuse(handle, version, access) == null) {
            // The region was at rest: its lease went on, only nobody had looked at it.
            KvSnapshot snapshot = shown.tablet().snapshot(shown.shape());
            if (!result.complete(snapshot)) {
                snapshot.close();
            }
        } else {
            reads.add(regionLog, version, access, now, result);
        }
    }

    /** Completes {@code result} when nobody else can have led the region later by now. */
    void confirm(CompletableFuture<Void> result) {
        LogLease lease = regionLog.lease();
        boolean shown = life == Life.SERVING || life == Life.RESTING;
        if (shown && lease != null && lease.covers(env.clock().read())) {
            result.complete(null);
            return;
        }
        CompletableFuture<KvSnapshot> read = new CompletableFuture<>();
        read.thenAccept(KvSnapshot::close)
                .whenComplete(
                        (done, error) -> {
                            if (error == null) {
                                result.complete(null);
                            } else {
                                result.completeExceptionally(error);
                            }
                        });
        read(handle.shape().getVersion(), Access.ANY, read);
    }

    /** Publishes what is applied; at rest the record has it all. */
    void publish(CompletableFuture<ObjectRef> result) {
        ObjectRef record = reports.record();
        if (life == Life.RESTING && record != null) {
            result.complete(record);
        } else {
            whenOpen(result, present -> present.publish(result));
        }
    }

    /** Splits at {@code keys}; none: in the middle, if there is one. */
    void split(long version, List<ByteString> keys, CompletableFuture<List<RegionShape>> result) {
        whenOpen(result, present -> present.split(version, keys, result));
    }

    /** Shuts the region for a flashback, or opens it: {@code startTs} 0. */
    void flashback(long version, long startTs, CompletableFuture<Void> result) {
        whenOpen(result, present -> present.flashback(version, startTs, result));
    }

    /** PD's order to hand the region over. */
    void handOver(MoveStep step) {
        LedRegion present = serving();
        if (present != null) {
            present.handOver(step);
        } else if (life == Life.RESTING && step != MoveStep.MOVE_PREPARE) {
            // Its record holds everything: there is nothing to publish and nobody to wait for.
            leave("moved at rest by PD's order");
        } else if (life == Life.RESTING && reports.record() == null) {
            // Nobody can follow a region without a record.
            whenOpen(new CompletableFuture<Void>(), awake -> awake.handOver(step));
        }
    }

    /** PD's order to take a neighbour over. */
    void merge(MergeOrder order, RegionPeer source) {
        whenOpen(new CompletableFuture<Void>(), present -> present.merge(order, source));
    }

    /** The neighbour wants to take this region over. */
    void mergeInto(RegionPeer target, MergeJob job) {
        CompletableFuture<Void> result = new CompletableFuture<>();
        result.exceptionally(
                error -> {
                    target.later(() -> job.fail(error));
                    return null;
                });
        whenOpen(result, present -> present.mergeInto(target, job));
    }

    /** The neighbour will never do it. */
    void mergeIsVoid(MergeJob job) {
        if (led != null) {
            led.mergeIsVoid(job);
        }
    }

    /** The neighbour does not know whether it has. */
    void mergeIsUndecided(MergeJob job) {
        if (led != null) {
            led.mergeIsUndecided(job);
        }
    }

    /** The region is part of its neighbour now: it ends, and nobody is to open it again. */
    void takenOver() {
        log.info("region {} term {} is part of its neighbour now", id(), term());
        end();
        loop.gone(id());
        env.directory().forget(id());
    }

    /** Goes on with another tablet, which has the same log behind it and more keys. */
    void replace(TabletOpening.Opened opened) {
        LedRegion last = led;
        LedRegion next = new LedRegion(env, this, proposals, reports, opened, work);
        led = next;
        proposals.resume();
        next.serve(List.of());
        if (last != null) {
            last.stop();
            last.end();
            closeLater(last.tablet());
        }
        touch();
    }

    /** Goes on with another tablet of the same rows. */
    void exchange(TabletOpening.Opened opened) {
        LedRegion last = Invariants.present(led, "tablet");
        LedRegion next = new LedRegion(env, this, proposals, reports, opened, work);
        led = next;
        next.serve(List.of());
        next.inherit(last);
        last.stop();
        last.end();
        closeLater(last.tablet());
        touch();
    }

    /** PD's order to add or remove a voter; what becomes of it is in the reports. */
    void changeVoters(ChangeVoters order) {
        regionLog.changeVoters(order.getTarget(), order.getRetireWalIdsList());
    }

    /**
     * Stops serving, at once and for good, and gives the region back to its voters. Whoever is let
     * in by them finds nothing that was acknowledged missing.
     */
    void leave(String reason) {
        if (life == Life.OPENING || life == Life.RESTING || life == Life.SERVING) {
            stepDown(reason);
            regionLog.release(env.clock().read());
            touch();
        }
    }

    private void stepDown(String reason) {
        stopServing();
        life = Life.LEAVING;
        leavingNanos = env.nowNanos();
        log.info("region {} term {}: leaving, {}", id(), term(), reason);
    }

    /** Drops the region without telling anybody: its term is over. */
    void abandon(String reason) {
        if (isAlive()) {
            log.info("region {} term {} ends here: {}", id(), term(), reason);
            env.metrics().fenced();
            end();
            env.directory().forget(id());
        }
    }

    // ---- rounds

    /** First half of a round: everything that is to be sent. */
    void submit(Clock.Reading now) {
        boolean shown = life == Life.SERVING || life == Life.RESTING;
        if (shown && regionLog.stage() != Stage.LEADING) {
            // Before the round's requests leave: the voters may be told that the term is over.
            stepDown(regionLog.reason());
        }
        LedRegion present = serving();
        if (present != null) {
            present.submit();
        }
        regionLog.send(now);
    }

    /** Second half: what has come of it. */
    void settle(Clock.Reading now) {
        if (life == Life.OPENING || life == Life.RESTING) {
            advance();
        }
        if (led != null) {
            led.applyCommitted();
        }
        RegionHandle.Serving shown = handle.serving();
        if (life == Life.SERVING && shown != null && led != null) {
            reads.settle(regionLog, handle, shown);
            handle.lease(regionLog.lease());
            led.advance();
        }
        Stage stage = regionLog.stage();
        if (stage == Stage.FENCED) {
            abandon("fenced, " + regionLog.reason());
        } else if (stage == Stage.FAILED) {
            fail(Failures.unavailable(id(), regionLog.reason()));
        } else if (stage == Stage.RELEASED
                || (life == Life.LEAVING
                        && now.monotonicNanos() - leavingNanos > leavingMaxNanos())) {
            env.metrics().released();
            log.info(
                    "region {} term {} has ended here, {} ms after it ceased to serve{}",
                    id(),
                    term(),
                    (now.monotonicNanos() - leavingNanos) / 1_000_000,
                    stage == Stage.RELEASED ? "" : ", without its voters' answer");
            end();
            reports.state(RegionState.RELEASED, "", regionLog.voters());
        }
    }

    private long leavingMaxNanos() {
        return env.options().lease().toNanos() + LEAVING_GRACE_NANOS;
    }

    /** Opens the tablet, or finds out whether that is needed without anybody asking for it. */
    private void advance() {
        if (wanted) {
            opening.collect();
            return;
        }
        if (regionLog.stage() != Stage.LEADING) {
            return;
        }
        if (life == Life.OPENING && !logEnd.isKnown()) {
            logEnd.look();
            if (logEnd.isQuiet()) {
                life = Life.RESTING;
                handle.rest();
                env.directory().serving(handle);
                reports.resting(logEnd.record(), regionLog);
                log.debug("region {} term {} is led, and rests", id(), term());
            } else if (logEnd.isKnown()) {
                loop.openings().offer(this, logEnd.entries());
            }
        }
        boolean waits = life == Life.RESTING || logEnd.isKnown();
        if (waits && regionLog.readTo() != regionLog.committed()) {
            // Not kept in memory meanwhile: whoever opens the tablet begins at the start.
            regionLog.seek(regionLog.committed());
        }
    }

    /** Opens the tablet now. */
    void open() {
        if (!wanted && life != Life.SERVING && isAlive()) {
            wanted = true;
            loop.openings().begun(this);
            touch();
        }
    }

    /** Closes the tablet of a region that nobody has used for {@code idleNanos}. */
    void closeIfIdle(long idleNanos) {
        if (life != Life.SERVING || handle.takeUsed() || !isQuiet() || !work.isIdle()) {
            usedNanos = env.nowNanos();
        } else if (env.nowNanos() - usedNanos >= idleNanos) {
            hibernate();
        }
    }

    private void hibernate() {
        LedRegion last = Invariants.present(led, "tablet");
        handle.rest();
        life = Life.RESTING;
        led = null;
        wanted = false;
        opening = new Opening(env, loop, regionLog, assign.getShape(), openers, null, this);
        reports.hibernated(last);
        last.stop();
        last.end();
        closeLater(last.tablet());
        env.metrics().hibernated();
        log.debug("region {} term {}: its tablet is closed until it is used", id(), term());
    }

    private boolean isQuiet() {
        LedRegion present = serving();
        return present != null
                && proposals.isEmpty()
                && reads.isEmpty()
                && regionLog.atRest()
                && present.isQuiet();
    }

    /** Whether ticks and rounds have found nothing to do for a while. */
    boolean atRest() {
        boolean closed = life == Life.RESTING || (life == Life.OPENING && logEnd.isKnown());
        boolean waits = closed && !wanted && regionLog.atRest();
        LedRegion present = serving();
        boolean served = present != null && isQuiet() && present.atRest();
        boolean quiet = waits ? reports.isCurrent(regionLog) : served;
        quietTicks = quiet ? quietTicks + 1 : 0;
        return quietTicks >= QUIET_TICKS;
    }

    /** Timers. */
    void tick(Clock.Reading now) {
        regionLog.tick(now);
        proposals.expire(now.monotonicNanos());
        reads.expire(now.monotonicNanos());
        LedRegion present = serving();
        waits.expire(now.monotonicNanos());
        if (present != null) {
            present.tick();
        } else if (wanted && (life == Life.OPENING || life == Life.RESTING)) {
            opening.tick();
        } else if (life == Life.RESTING) {
            reports.refresh(regionLog);
        }
    }

    // ---- opening

    @Override
    public void onOpened(TabletOpening.Opened opened, List<Entry> replayed) {
        boolean closed = life == Life.OPENING || life == Life.RESTING;
        if (!closed || regionLog.stage() != Stage.LEADING) {
            closeLater(opened.tablet());
            leave("the term ended while the tablet was opened");
            return;
        }
        guard(
                () -> {
                    LedRegion ready = new LedRegion(env, this, proposals, reports, opened, work);
                    led = ready;
                    life = Life.SERVING;
                    loop.openings().done(this);
                    long nowNanos = env.nowNanos();
                    usedNanos = nowNanos;
                    ready.serve(replayed);
                    env.metrics().opened(nowNanos - assignedNanos);
                    log.info(
                            "region {} term {} serves from entry {}; {} ms for the log, {} ms for"
                                    + " the tablet, which was {}",
                            id(),
                            term(),
                            opened.tablet().applied().index(),
                            (opening.collectedNanos() - assignedNanos) / 1_000_000,
                            (nowNanos - opening.collectedNanos()) / 1_000_000,
                            opening.wasWarm() ? "warm" : "cold");
                    waits.run();
                });
        touch();
    }

    @Override
    public void onDelay(String reason) {
        if (life == Life.RESTING) {
            log.warn("the tablet of region {} cannot be opened yet: {}", id(), reason);
        } else if (life == Life.OPENING) {
            log.warn("region {} cannot be opened yet: {}", id(), reason);
            reports.state(RegionState.OPENING, reason, regionLog.voters());
        }
    }

    @Override
    public void onFailure(RuntimeException error) {
        if (life == Life.OPENING || life == Life.RESTING) {
            fail(error);
        }
    }

    @Override
    public void onUseless(WarmTablet tablet) {
        closeLater(tablet.tablet());
    }

    // ---- ends

    /** Withdraws what callers see, before anything else happens; refuses what has no effect yet. */
    private void stopServing() {
        handle.stop();
        env.directory().stopped(handle);
        loop.openings().done(this);
        waits.fail(Failures.notLeader(id()));
        if (led != null) {
            led.stop();
        }
        proposals.resume();
        proposals.refuseQueued();
        reads.abandon();
    }

    private void fail(RuntimeException error) {
        log.error("region {} term {} has failed", id(), term(), error);
        env.metrics().failed();
        end();
        String reason = error.getMessage() == null ? error.toString() : error.getMessage();
        reports.state(RegionState.FAILED, reason, regionLog.voters());
    }

    private void end() {
        stopServing();
        life = Life.ENDED;
        proposals.abandon();
        loop.ended(this);
        WarmTablet unused = opening.end();
        if (unused != null) {
            closeLater(unused.tablet());
        }
        LedRegion last = led;
        led = null;
        if (last != null) {
            last.end();
            closeLater(last.tablet());
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
