package io.tidekv.pd.schedule;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.schedule.OrderException.Kind;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.pdstate.RegionEntry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the stores while this node leads, and carries out orders. May be called from any thread:
 * the work is done on {@code loop}, which must run one task at a time.
 */
public final class Coordinator {
    /** How often {@link #tick} is to be called. */
    public static final Duration TICK = Duration.ofMillis(100);

    private static final Duration UNSERVED_MAX = Duration.ofSeconds(10);
    private static final int UNSERVED_ORDERS_MAX = 1_000;
    private static final Logger log = LoggerFactory.getLogger(Coordinator.class);

    private final StateLog stateLog;
    private final Clock clock;
    private final ScheduleConfig config;
    private final Executor loop;
    private final LiveView live = new LiveView();
    private @Nullable Reign reign;

    /** Orders for regions that are between two owners: tried again until their time is up. */
    private final List<Runnable> unserved = new ArrayList<>();

    public Coordinator(StateLog stateLog, Clock clock, ScheduleConfig config, Executor loop) {
        this.stateLog = stateLog;
        this.clock = clock;
        this.config = config;
        this.loop = loop;
        stateLog.onLeadershipChange(() -> loop.execute(this::reign));
    }

    /** What the stores have reported. */
    public LiveView live() {
        return live;
    }

    /** To be called regularly. */
    public void tick() {
        loop.execute(
                () -> {
                    Reign now = reign();
                    if (now != null) {
                        now.tick(clock.monotonicNanos());
                    }
                    retryUnserved();
                });
    }

    /** A report; {@code after} runs when it has been dealt with. */
    public void report(StoreReport report, StoreSink sink, Runnable after) {
        loop.execute(
                () -> {
                    Reign now = reign();
                    if (now == null) {
                        sink.notLeader();
                        return;
                    }
                    now.report(report, sink, clock.monotonicNanos(), clock.wallMillis());
                    retryUnserved();
                    after.run();
                });
    }

    public void disconnected(StoreSink sink) {
        whileLeading(now -> now.disconnected(sink));
    }

    public void walSeen(long walId) {
        whileLeading(now -> now.walSeen(walId, clock.monotonicNanos()));
    }

    /** A store process has been given a new incarnation. */
    public void registered(long storeId) {
        whileLeading(now -> now.registered(storeId, clock.monotonicNanos()));
    }

    /** The table of regions has been changed by a store's report of a split. */
    public void poke() {
        whileLeading(now -> now.poke(clock.monotonicNanos()));
    }

    /**
     * Moves a region. Completes with the gap in service in milliseconds when the target serves it;
     * fails with {@link OrderException} or {@link NotLeaderException}.
     */
    public CompletableFuture<Long> move(long regionId, long storeId, Duration atMost) {
        return orderServed(
                atMost,
                now -> {
                    RegionEntry region = served(now, regionId);
                    long nowNanos = clock.monotonicNanos();
                    boolean takes =
                            now.sessions.takers(now.view(), nowNanos).stream()
                                    .anyMatch(t -> t.owner.getStoreId() == storeId);
                    if (now.view().stores().get(storeId) == null) {
                        throw new OrderException(Kind.NOT_FOUND, "no store %d", storeId);
                    }
                    if (!takes) {
                        throw new OrderException(
                                Kind.BUSY,
                                "store %d takes no regions: it is down, leaving or draining",
                                storeId);
                    }
                    return begin(
                            now,
                            new MoveOperator(
                                    region,
                                    storeId,
                                    "admin-move-region",
                                    nowNanos + limit(atMost).toNanos()));
                });
    }

    /** Splits a region; {@code keys} empty: where its store thinks best. */
    public CompletableFuture<Long> split(long regionId, List<ByteString> keys, Duration atMost) {
        return orderServed(
                atMost,
                now -> {
                    RegionEntry region = served(now, regionId);
                    long deadline = clock.monotonicNanos() + limit(atMost).toNanos();
                    return begin(now, new SplitOperator(region, keys, deadline));
                });
    }

    /** Makes a region part of its neighbour; the two may be at different stores. */
    public CompletableFuture<Long> merge(long sourceId, long targetId, Duration atMost) {
        return orderServed(
                atMost,
                now -> {
                    RegionEntry source = served(now, sourceId);
                    RegionEntry target = served(now, targetId);
                    if (!MergeOperator.areNeighbours(source, target)) {
                        throw new OrderException(
                                Kind.INVALID,
                                "regions %d and %d are no neighbours",
                                sourceId,
                                targetId);
                    }
                    long deadline = clock.monotonicNanos() + limit(atMost).toNanos();
                    MergeOperator merge = new MergeOperator(source, target, deadline);
                    if (now.operators.busy(targetId)) {
                        throw new OrderException(
                                Kind.BUSY, "region %d is busy: try again later", targetId);
                    }
                    CompletableFuture<Long> done = begin(now, merge);
                    now.operators.start(new MergeOperator.Neighbour(target, merge));
                    return done;
                });
    }

    /**
     * Spreads regions over the stores. Completes with the regions for which that could not be
     * begun; how the others fare tells {@link #operator}.
     */
    public CompletableFuture<List<Long>> scatter(List<Long> regionIds, String group) {
        return order(
                now -> {
                    List<Long> failed = new ArrayList<>();
                    for (long id : regionIds) {
                        try {
                            scatter(now, id, group);
                        } catch (OrderException e) {
                            log.debug("region {} is not scattered", id, e);
                            failed.add(id);
                        }
                    }
                    return CompletableFuture.completedFuture(failed);
                });
    }

    private void scatter(Reign now, long regionId, String group) {
        RegionEntry region = served(now, regionId);
        long nowNanos = clock.monotonicNanos();
        long target =
                now.scatterer.target(region, group, now.sessions.takers(now.view(), nowNanos));
        if (target == region.getOwner().getStoreId()) {
            now.operators.record(regionId, Scatterer.DESCRIPTION, Operator.Status.SUCCESS);
            return;
        }
        long deadline = nowNanos + config.operatorTimeout().toNanos();
        begin(now, new MoveOperator(region, target, Scatterer.DESCRIPTION, deadline));
    }

    /** The operator of a region that runs or was the last to end. */
    public CompletableFuture<Optional<OperatorRecord>> operator(long regionId) {
        return order(
                now ->
                        CompletableFuture.completedFuture(
                                Optional.ofNullable(now.operators.find(regionId))));
    }

    private CompletableFuture<Long> begin(Reign now, Operator operator) {
        now.operators.start(operator);
        now.step(clock.monotonicNanos());
        return operator.done;
    }

    private Duration limit(Duration asked) {
        return asked.isZero() || asked.isNegative() ? config.operatorTimeout() : asked;
    }

    private static RegionEntry served(Reign now, long regionId) {
        RegionEntry region = now.view().region(regionId);
        if (region == null) {
            throw new OrderException(Kind.NOT_FOUND, "region %d not found", regionId);
        }
        StoreSession owner = now.sessions.ownerOf(region);
        if (owner == null || owner.state(region) != RegionState.LEADING) {
            throw new OrderException(
                    Kind.UNSERVED, "region %d is not served at present: try again", regionId);
        }
        return region;
    }

    /** Voters for {@code count} new regions; empty when there are too few nodes to choose from. */
    public CompletableFuture<List<List<Long>>> voters(int count) {
        return order(
                now ->
                        CompletableFuture.completedFuture(
                                now.voters.fresh(now.view(), count, clock.monotonicNanos())));
    }

    /** The mode of a node has been changed. Completes when what follows from it is known. */
    public CompletableFuture<Void> modeChanged() {
        return order(
                now -> {
                    now.modeChanged(clock.monotonicNanos());
                    return CompletableFuture.completedFuture(null);
                });
    }

    /** As {@link #order}, but a region that is between two owners is waited for. */
    private <T> CompletableFuture<T> orderServed(
            Duration atMost, Function<Reign, CompletableFuture<T>> order) {
        Duration patience =
                limit(atMost).compareTo(UNSERVED_MAX) < 0 ? limit(atMost) : UNSERVED_MAX;
        long until = clock.monotonicNanos() + patience.toNanos();
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> attempt(order, answer, until));
        return answer;
    }

    private <T> void attempt(
            Function<Reign, CompletableFuture<T>> order, CompletableFuture<T> answer, long until) {
        Reign now = reign();
        if (now == null) {
            answer.completeExceptionally(new NotLeaderException(stateLog.leadership().leader()));
            return;
        }
        try {
            order.apply(now).whenComplete((value, failure) -> pass(value, failure, answer));
        } catch (OrderException e) {
            if (e.kind() == Kind.UNSERVED
                    && clock.monotonicNanos() - until < 0
                    && unserved.size() < UNSERVED_ORDERS_MAX) {
                unserved.add(() -> attempt(order, answer, until));
            } else {
                answer.completeExceptionally(e);
            }
        }
    }

    private static <T> void pass(
            @Nullable T value, @Nullable Throwable failure, CompletableFuture<T> answer) {
        if (failure == null) {
            answer.complete(value);
        } else {
            answer.completeExceptionally(failure);
        }
    }

    private void retryUnserved() {
        if (!unserved.isEmpty()) {
            List<Runnable> again = List.copyOf(unserved);
            unserved.clear();
            again.forEach(Runnable::run);
        }
    }

    private <T> CompletableFuture<T> order(Function<Reign, CompletableFuture<T>> order) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> attempt(order, answer, clock.monotonicNanos()));
        return answer;
    }

    private void whileLeading(Consumer<Reign> task) {
        loop.execute(
                () -> {
                    Reign now = reign();
                    if (now != null) {
                        task.accept(now);
                    }
                });
    }

    /** The present reign; begins and ends it with the leadership. */
    private @Nullable Reign reign() {
        Leadership leadership = stateLog.leadership();
        Reign now = reign;
        if (now != null && (!leadership.leading() || leadership.epoch() != now.epoch)) {
            log.info("this PD does not lead any more");
            reign = null;
            now.end();
            now = null;
        }
        if (now == null && leadership.leading()) {
            log.info("this PD leads, term {}", leadership.epoch());
            now = new Reign(leadership.epoch(), stateLog, live, config, loop, clock);
            reign = now;
        }
        return now;
    }
}
