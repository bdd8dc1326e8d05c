package io.tidekv.compute.region;

import io.tidekv.common.Rounds;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.region.core.LeaderRules;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.compute.region.core.SessionRenewer;
import io.tidekv.compute.region.log.VoterLog;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.client.WalLink;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread and the regions that it drives. A round takes the events at hand, lets the touched
 * regions send, hands each WAL node one message with the requests of all of them, and then applies
 * what is committed. Sleeps while nothing happens, but for a tick. While rounds are short, one that
 * WAL nodes' responses call for is run by the event loop that brings them; ticks never are.
 *
 * <p>The queue has no bound of its own: writes and reads are admitted by bytes and count before
 * they enter, responses are bounded by the leaders' windows, and everything else comes once per
 * region and cause.
 */
final class RegionLoop implements SessionRenewer.PendingListener, Rounds.Work {
    private static final Logger log = LoggerFactory.getLogger(RegionLoop.class);
    private static final int EVENTS_PER_ROUND = 1024;
    private static final long TICK_MS = 100;
    private static final long OPENING_TICK_MS = 20;
    private static final long TICK_SHARE = 4;
    private static final long SWEEPS = 4;
    private static final long ASIDE_TIMEOUT_MS = 2000;
    private static final int ENDED_MAX = 100_000;

    /** In place of the last term of a region that has no more. */
    private static final long GONE = Long.MAX_VALUE;

    /** A request made for a region that is not led by this loop. */
    private record Aside(
            long walId, long deadlineNanos, Consumer<@Nullable WalResponse> onAnswer) {}

    private final RegionEnv env;
    private final int index;
    private final int loops;
    private final Rounds rounds;
    private final Map<Long, RegionPeer> peers = new LinkedHashMap<>();
    // Of each peer; hears what WAL nodes say.
    private final Map<Long, VoterLog> logs = new LinkedHashMap<>();
    private final Set<RegionPeer> touched = new LinkedHashSet<>();
    // Those that ticks look after. The others need nothing until they are touched.
    private final Set<RegionPeer> awake = new LinkedHashSet<>();
    private final Set<Long> connected = new TreeSet<>();
    private final Map<Long, Aside> asides = new LinkedHashMap<>();
    private final WalConnections connections;
    private final Standbys standbys;
    private final Outbox outbox;
    private final SessionRenewer renewer;
    private final OpeningQueue openings;
    // Last term of regions that were led here, oldest first.
    private final Map<Long, Long> ended = new LinkedHashMap<>();
    private long asideSeq;
    private long tickedNanos;
    private long tickNanos;
    private long sweptNanos;
    // Some region waits for its voters: ticks come faster, for a quick takeover.
    private boolean opening;
    private volatile int count;
    private volatile int resting;
    private @Nullable Thread thread;

    RegionLoop(RegionEnv env, int index, int loops, WalConnections connections) {
        this.env = env;
        this.rounds = new Rounds(this, env.clock()::monotonicNanos);
        this.index = index;
        this.loops = loops;
        this.connections = connections;
        this.standbys = new Standbys(env, this);
        this.openings = new OpeningQueue(env);
        this.outbox = new Outbox(connections::send);
        this.renewer =
                new SessionRenewer(
                        env.options().leader(),
                        LeaderRules.RIGHT,
                        env.owner(),
                        (walId, request) -> outbox.send(walId, LoopSeq.mark(request, index, loops)),
                        this);
        this.tickedNanos = env.clock().monotonicNanos();
        this.sweptNanos = tickedNanos;
    }

    void start() {
        thread = rounds.start("region-loop-" + index);
    }

    /** Runs {@code event} on this loop, after those that came before. Thread-safe. */
    void execute(Runnable event) {
        rounds.execute(event);
    }

    /** As {@link #execute}; {@code here}, of the calling thread, may have to run the round. */
    void execute(Runnable event, @Nullable Executor here) {
        rounds.execute(event, here);
    }

    /** Its regions must not look alive while nothing drives them. */
    @Override
    public void failed(Throwable cause) {
        log.error("a region loop has failed", cause);
        env.events().onFatal("a region loop has failed: " + cause);
    }

    @Override
    public long nanosToNext() {
        return touched.isEmpty() ? nanosToTick() : 0;
    }

    @Override
    public void round(Rounds.Events events, boolean own) {
        Runnable event = events.poll();
        for (int i = 0; event != null; i++) {
            guarded(event);
            event = i < EVENTS_PER_ROUND ? events.poll() : null;
        }
        if (own && nanosToTick() <= 0) {
            tick();
        }
        List<RegionPeer> round = new ArrayList<>(touched);
        touched.clear();
        Clock.Reading now = env.clock().read();
        for (RegionPeer peer : round) {
            peer.guard(() -> peer.submit(now));
        }
        outbox.flush();
        for (RegionPeer peer : round) {
            peer.guard(() -> peer.settle(env.clock().read()));
        }
        outbox.flush();
    }

    /** An event that fails must not take the others with it; peers guard their own. */
    private static void guarded(Runnable event) {
        try {
            event.run();
        } catch (RuntimeException e) {
            log.error("an event of a region loop failed", e);
        }
    }

    private long nanosToTick() {
        // Ticks of thousands of regions take a while: most of the time goes to other things.
        long quick = Math.max(OPENING_TICK_MS * 1_000_000, TICK_SHARE * tickNanos);
        long period = opening ? Math.min(quick, TICK_MS * 1_000_000) : TICK_MS * 1_000_000;
        return tickedNanos + period - env.clock().monotonicNanos();
    }

    private void tick() {
        Clock.Reading now = env.clock().read();
        tickedNanos = now.monotonicNanos();
        renewer.tick(now);
        opening = false;
        for (RegionPeer peer : List.copyOf(awake)) {
            opening |= peer.isOpening();
            peer.guard(() -> peer.tick(now));
            touched.add(peer);
            if (peer.atRest()) {
                awake.remove(peer);
            }
        }
        resting = peers.size() - awake.size();
        standbys.tick();
        sweep(now.monotonicNanos());
        tickNanos = env.clock().monotonicNanos() - tickedNanos;
        for (Map.Entry<Long, Aside> aside : List.copyOf(asides.entrySet())) {
            if (now.monotonicNanos() - aside.getValue().deadlineNanos > 0) {
                asides.remove(aside.getKey());
                aside.getValue().onAnswer.accept(null);
            }
        }
    }

    /** Closes the tablets that nobody uses, looking a few times in the time they are given. */
    private void sweep(long nowNanos) {
        long idle = env.options().tabletIdle().toNanos();
        if (env.tabletsOpen().get() > env.options().tabletsKept()) {
            idle /= 10;
        }
        if (idle == 0 || nowNanos - sweptNanos < idle / SWEEPS) {
            return;
        }
        sweptNanos = nowNanos;
        for (RegionPeer peer : peers()) {
            long idleNanos = idle;
            peer.guard(() -> peer.closeIfIdle(idleNanos));
        }
    }

    /** Which regions open their tablets by themselves, and when. */
    OpeningQueue openings() {
        return openings;
    }

    /** The peer has something to send or to settle in this round, and is not at rest. */
    void touch(RegionPeer peer) {
        touched.add(peer);
        if (peer.isAlive()) {
            awake.add(peer);
        }
    }

    /** Regions that have had nothing to do for a while, as of the last tick. Thread-safe. */
    int resting() {
        return resting;
    }

    Set<Long> connectedNodes() {
        return connected;
    }

    @Nullable RegionPeer peer(long regionId) {
        return peers.get(regionId);
    }

    List<RegionPeer> peers() {
        return List.copyOf(peers.values());
    }

    /**
     * PD's assignment, or a child that begins here: then {@code warm} may be its tablet, which is
     * closed when it is not needed. Repeated ones change nothing.
     */
    void assign(Assign order, @Nullable WarmTablet warm) {
        long id = order.getShape().getRegionId();
        RegionPeer present = peers.get(id);
        Long last = ended.get(id);
        boolean known = present != null && present.term() >= order.getTerm();
        boolean over = last != null && last >= order.getTerm();
        if (known || over) {
            if (!known && last != null && last < GONE) {
                stillEnded(order);
            }
            if (warm != null) {
                env.close(warm.tablet());
            }
            return;
        }
        if (present != null) {
            // Voters do not protect an owner from itself: the old leader goes first.
            present.abandon("term " + order.getTerm() + " begins here");
        }
        VoterLog voters = newLog(order);
        RegionPeer peer = new RegionPeer(env, this, voters, order, warm(id, warm), warm != null);
        peers.put(id, peer);
        logs.put(id, voters);
        count = peers.size();
        opening = true;
        touch(peer);
        peer.guard(peer::start);
        Clock.Reading now = env.clock().read();
        for (long walId : connected) {
            peer.guard(() -> voters.leader().onConnected(walId, now));
        }
    }

    private VoterLog newLog(Assign order) {
        LeaderOptions options = env.options().leader();
        RegionLeader leader =
                new RegionLeader(
                        options,
                        LeaderRules.RIGHT,
                        order.getShape().getRegionId(),
                        order.getTerm(),
                        env.owner(),
                        order.getConfig(),
                        order.hasOrigin() ? order.getOrigin() : null,
                        renewer,
                        outbox);
        return new VoterLog(options, leader);
    }

    private void tell(RegionPeer peer, Consumer<RegionLeader> news) {
        VoterLog voters = logs.get(peer.id());
        if (voters != null) {
            peer.guard(() -> news.accept(voters.leader()));
            touch(peer);
        }
    }

    /** A term is used once: PD must give another. What is on record about it already stands. */
    private void stillEnded(Assign order) {
        if (env.directory().report(order.getShape().getRegionId()) == null) {
            env.directory()
                    .report(
                            RegionReport.newBuilder()
                                    .setShape(order.getShape())
                                    .setTerm(order.getTerm())
                                    .setConfig(order.getConfig())
                                    .setState(RegionState.FAILED)
                                    .setError("this term has ended on this store")
                                    .build());
        }
    }

    private @Nullable WarmTablet warm(long regionId, @Nullable WarmTablet given) {
        WarmTablet kept = standbys.take(regionId);
        if (given != null && kept != null) {
            env.close(kept.tablet());
        }
        return given != null ? given : kept;
    }

    Standbys standbys() {
        return standbys;
    }

    /** Follows a region's log at a node; null when there is no such node. */
    WalLink.@Nullable Following follow(
            long walId, long regionId, long fromIndex, WalLink.Follower follower) {
        return connections.follow(walId, regionId, fromIndex, follower);
    }

    /** The region belongs to a higher term now. */
    void revoke(long regionId, long term) {
        RegionPeer peer = peers.get(regionId);
        if (peer != null && peer.term() < term) {
            peer.abandon("revoked, term " + term + " has been issued");
        }
        RegionReport report = env.directory().report(regionId);
        if (report != null && report.getTerm() < term) {
            env.directory().forget(regionId);
        }
    }

    /** The peer is over; its term is not used here again. */
    void ended(RegionPeer peer) {
        if (peers.remove(peer.id(), peer)) {
            logs.remove(peer.id());
        }
        count = peers.size();
        touched.remove(peer);
        awake.remove(peer);
        ended.put(peer.id(), peer.term());
        if (ended.size() > ENDED_MAX) {
            ended.remove(ended.keySet().iterator().next());
        }
    }

    /** The region has become part of another one: PD orders it only until it hears of that. */
    void gone(long regionId) {
        ended.put(regionId, GONE);
    }

    /** Sends a request for a region that this loop does not lead; null: no answer. */
    void sendAside(
            long walId, WalRequest.Builder request, Consumer<@Nullable WalResponse> onAnswer) {
        if (!connected.contains(walId)) {
            onAnswer.accept(null);
            return;
        }
        long seq = LoopSeq.aside(++asideSeq, index, loops);
        long deadline = env.clock().monotonicNanos() + ASIDE_TIMEOUT_MS * 1_000_000;
        asides.put(seq, new Aside(walId, deadline, onAnswer));
        outbox.send(walId, request.setSeq(seq).build());
    }

    void connected(long walId) {
        Clock.Reading now = env.clock().read();
        connected.add(walId);
        renewer.onConnected(walId, now);
        for (RegionPeer peer : peers()) {
            tell(peer, leader -> leader.onConnected(walId, now));
        }
    }

    void disconnected(long walId) {
        if (!connected.remove(walId)) {
            return;
        }
        Clock.Reading now = env.clock().read();
        outbox.drop(walId);
        renewer.onDisconnected(walId, now);
        for (RegionPeer peer : peers()) {
            tell(peer, leader -> leader.onDisconnected(walId, now));
        }
        for (Map.Entry<Long, Aside> aside : List.copyOf(asides.entrySet())) {
            if (aside.getValue().walId == walId) {
                asides.remove(aside.getKey());
                aside.getValue().onAnswer.accept(null);
            }
        }
    }

    void responses(long walId, List<WalResponse> responses) {
        Clock.Reading now = env.clock().read();
        for (WalResponse response : responses) {
            if (LoopSeq.isAside(response)) {
                Aside aside = asides.remove(response.getSeq());
                if (aside != null) {
                    aside.onAnswer.accept(response);
                }
            } else if (response.getRegionId() == 0) {
                renewer.onResponse(walId, LoopSeq.unmark(response, loops), now);
            } else {
                RegionPeer peer = peers.get(response.getRegionId());
                if (peer != null) {
                    tell(peer, leader -> leader.onResponse(walId, response, now));
                }
            }
        }
    }

    @Override
    public void pending(long walId, long regionId, long pendingTerm) {
        RegionPeer peer = peers.get(regionId);
        if (peer != null) {
            tell(peer, leader -> leader.onPending(walId, pendingTerm, env.clock().read()));
        }
    }

    @Override
    public void publish(long regionId) {
        RegionPeer peer = peers.get(regionId);
        if (peer != null) {
            peer.makeRoom();
        }
    }

    /** Whether no region is left. Thread-safe, as of some moment. */
    boolean isEmpty() {
        return count == 0;
    }

    /** Ends the regions that are left as if they had lost their term. */
    void abandonAll(String reason) {
        execute(standbys::end);
        execute(() -> peers().forEach(peer -> peer.abandon(reason)));
    }

    /** Ends the thread; regions must have ended before. */
    void stop() {
        execute(rounds::stop);
        Thread started = thread;
        if (started != null) {
            try {
                started.join(TimeUnit.SECONDS.toMillis(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
