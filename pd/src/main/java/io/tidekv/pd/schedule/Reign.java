package io.tidekv.pd.schedule;

import io.tidekv.common.time.Clock;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.schedule.LiveView.StoreStatus;
import io.tidekv.proto.cluster.Ack;
import io.tidekv.proto.cluster.Fenced;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.cluster.WalNodes;
import io.tidekv.proto.pdstate.Bootstrap;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.IssueTerms;
import io.tidekv.proto.pdstate.Observation;
import io.tidekv.proto.pdstate.Observe;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.Result;
import io.tidekv.proto.pdstate.TermOrder;
import io.tidekv.proto.region.Owner;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One time of leading: everything that is known of the stores, from the moment at which this node
 * began to lead until it ceased to. Belongs to the coordinator's thread.
 */
final class Reign {
    private static final Logger log = LoggerFactory.getLogger(Reign.class);
    private static final long FULL_CHECK_NANOS = 500_000_000L;

    private final StateLog stateLog;
    private final LiveView live;
    private final Executor loop;
    private final Clock clock;
    final long epoch;
    final Sessions sessions;
    final Operators operators = new Operators();
    final Scatterer scatterer = new Scatterer();
    private final WalWatch walWatch;
    final VoterChanges voters;
    private final Takeover takeover;
    private final Balancer balancer;
    private final StandbyKeeper standbys;
    private final Set<Long> termsPending = new HashSet<>();
    private final ClusterView view = new ClusterView();
    private boolean observing;
    private boolean bootstrapping;
    private boolean over;
    private boolean due = true;
    private long checkedAtNanos;

    Reign(
            long epoch,
            StateLog stateLog,
            LiveView live,
            ScheduleConfig config,
            Executor loop,
            Clock clock) {
        this.epoch = epoch;
        this.stateLog = stateLog;
        this.live = live;
        this.loop = loop;
        this.clock = clock;
        long nowNanos = clock.monotonicNanos();
        long timeout = config.storeTimeout().toNanos();
        sessions = new Sessions(timeout, nowNanos);
        takeover = new Takeover(sessions, timeout);
        balancer = new Balancer(config);
        standbys = new StandbyKeeper(config.standbys());
        walWatch = new WalWatch(nowNanos);
        voters = new VoterChanges(sessions, operators, walWatch, config);
        view();
        checkedAtNanos = nowNanos;
    }

    ClusterView view() {
        return stateLog.read(
                state -> {
                    view.refresh(state);
                    return view;
                });
    }

    void report(StoreReport report, StoreSink sink, long nowNanos, long nowMillis) {
        sessions.tick(nowNanos);
        Owner owner = report.getOwner();
        if (!view().isCurrent(owner)) {
            fence(sink, owner);
            return;
        }
        StoreSession session = sessions.of(owner);
        if (session == null) {
            session = new StoreSession(owner, sink, nowNanos);
            sessions.put(session);
            due = true;
            log.info(
                    "store {} reports, incarnation {}", owner.getStoreId(), owner.getIncarnation());
        } else if (session.sink() != sink) {
            session.reconnect(sink);
            due = true;
        }
        session.accept(report, nowNanos);
        live.put(new StoreStatus(owner, true, nowNanos, nowMillis, session.stats()));
        report.getRegionsList().forEach(r -> publish(r, owner));
        session.send(
                StoreCommand.newBuilder()
                        .setAck(
                                Ack.newBuilder()
                                        .setSeq(report.getSeq())
                                        .setNeedFull(!session.complete()))
                        .build());
        session.sendWalNodes(walWatch.nodes(view, nowNanos));
        if (session.toCompare(
                view.regionChange(), report.getFull() || report.getRegionsCount() > 0)) {
            session.compared(view.regionChange(), Reconciler.orders(view, session, nowNanos));
            observe(Reconciler.news(view, session));
        }
        due |= session.leaving();
        step(nowNanos);
    }

    private void publish(RegionReport report, Owner owner) {
        RegionEntry region = view.region(report.getShape().getRegionId());
        if (region == null
                || region.getTerm() != report.getTerm()
                || !region.getOwner().equals(owner)) {
            return;
        }
        live.put(report);
        if (report.getState() == RegionState.LEADING) {
            takeover.leading(region.getShape().getRegionId());
        } else if (report.getState() != RegionState.OPENING) {
            due = true;
        }
    }

    void disconnected(StoreSink sink) {
        sessions.all().forEach(s -> s.disconnected(sink));
        due = true;
    }

    void walSeen(long walId, long nowNanos) {
        walWatch.seen(walId, nowNanos);
        view();
        bootstrap(nowNanos);
    }

    /** A process has registered on the store's address: the one before it is a stranger now. */
    void registered(long storeId, long nowNanos) {
        takeover.restarted(storeId, nowNanos);
        dropReplaced();
        due = true;
        step(nowNanos);
    }

    void tick(long nowNanos) {
        sessions.tick(nowNanos);
        view();
        dropReplaced();
        live.setWal(voters.statuses(view, nowNanos));
        live.setMoves(balancer.moves());
        WalNodes walNodes = walWatch.nodes(view, nowNanos);
        for (StoreSession session : sessions.all()) {
            StoreStatus status = live.store(session.owner.getStoreId());
            boolean alive = sessions.alive(session, nowNanos);
            if (status != null && status.alive() != alive) {
                log.warn(
                        "store {} {}", session.owner.getStoreId(), alive ? "is back" : "is silent");
                live.put(
                        new StoreStatus(
                                session.owner,
                                alive,
                                status.lastSeenNanos(),
                                status.lastSeenMillis(),
                                status.stats()));
                due = true;
            }
            session.sendWalNodes(walNodes);
        }
        for (MoveOperator move : balancer.next(view, sessions, operators, nowNanos)) {
            log.debug("region {}: {}", move.regionId, move.description);
            operators.start(move);
        }
        voters.step(view, nowNanos);
        step(nowNanos);
    }

    /** Lets operators go on and gives away what has no owner. */
    void step(long nowNanos) {
        operators.step(view(), sessions, nowNanos);
        standbys.orders(view, sessions, operators, nowNanos);
        bootstrap(nowNanos);
        if (due || nowNanos - checkedAtNanos >= FULL_CHECK_NANOS) {
            due = false;
            checkedAtNanos = nowNanos;
            issue(takeover.plan(view, termsPending, operators::wantedStore, nowNanos));
        }
    }

    /** The table of regions has changed: a child may have been reported before it was known. */
    void poke(long nowNanos) {
        due = true;
        view();
        for (StoreSession session : sessions.all()) {
            session.reports().values().forEach(r -> publish(r, session.owner));
        }
        step(nowNanos);
    }

    /** The mode of a node has been changed: what follows from it is shown at once. */
    void modeChanged(long nowNanos) {
        view();
        voters.plan(view, nowNanos);
        tick(nowNanos);
    }

    void end() {
        over = true;
        NotLeaderException reason = new NotLeaderException("");
        operators.cancelAll(reason);
        for (StoreSession session : sessions.all()) {
            StoreSink sink = session.sink();
            if (sink != null) {
                sink.notLeader();
            }
        }
        live.clear();
    }

    private void issue(List<TermOrder> orders) {
        if (orders.isEmpty()) {
            return;
        }
        log.info("new owners for {} regions", orders.size());
        orders.forEach(o -> termsPending.add(o.getRegionId()));
        submit(
                Command.newBuilder()
                        .setIssueTerms(IssueTerms.newBuilder().addAllOrders(orders))
                        .build(),
                result -> {
                    orders.forEach(o -> termsPending.remove(o.getRegionId()));
                    due = true;
                    if (result != null) {
                        assign(result.getRegions().getRegionsList());
                    }
                });
    }

    private void assign(List<RegionEntry> issued) {
        view();
        for (RegionEntry region : issued) {
            StoreSession session = sessions.ownerOf(region);
            if (session != null) {
                Reconciler.assign(session, region, clock.monotonicNanos());
            }
        }
    }

    private void observe(List<Observation> news) {
        if (news.isEmpty() || observing) {
            return;
        }
        observing = true;
        submit(
                Command.newBuilder()
                        .setObserve(Observe.newBuilder().addAllObservations(news))
                        .build(),
                result -> observing = false);
    }

    private void bootstrap(long nowNanos) {
        if (!view.regions().isEmpty() || bootstrapping) {
            return;
        }
        List<StoreSession> takers = sessions.takers(view, nowNanos);
        List<List<Long>> fresh = voters.fresh(view, 1, nowNanos);
        if (takers.isEmpty() || fresh.isEmpty()) {
            return;
        }
        bootstrapping = true;
        log.info("the cluster begins: first region on store {}", takers.get(0).owner.getStoreId());
        submit(
                Command.newBuilder()
                        .setBootstrap(
                                Bootstrap.newBuilder()
                                        .setOwner(takers.get(0).owner)
                                        .addAllWalIds(fresh.get(0)))
                        .build(),
                result -> {
                    bootstrapping = false;
                    if (result != null) {
                        assign(result.getRegions().getRegionsList());
                    }
                });
    }

    /** {@code after} runs on the loop, with null when the command has failed. */
    private void submit(Command command, Consumer<@Nullable Result> after) {
        stateLog.submit(command)
                .whenCompleteAsync(
                        (result, failure) -> {
                            if (over) {
                                return;
                            }
                            if (failure != null) {
                                log.warn(
                                        "PD could not record {}; it is tried again",
                                        command.getBodyCase(),
                                        failure);
                            }
                            after.accept(result);
                        },
                        loop);
    }

    private void dropReplaced() {
        view();
        for (StoreSession session : List.copyOf(sessions.all())) {
            if (!view.isCurrent(session.owner)) {
                sessions.remove(session);
                StoreSink sink = session.sink();
                if (sink != null) {
                    fence(sink, session.owner);
                }
            }
        }
    }

    private static void fence(StoreSink sink, Owner owner) {
        String reason =
                "incarnation "
                        + owner.getIncarnation()
                        + " of store "
                        + owner.getStoreId()
                        + " has been replaced by a newer process";
        sink.send(
                StoreCommand.newBuilder().setFenced(Fenced.newBuilder().setReason(reason)).build());
        sink.end();
    }
}
