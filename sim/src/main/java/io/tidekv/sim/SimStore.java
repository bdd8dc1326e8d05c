package io.tidekv.sim;

import io.tidekv.compute.region.core.LeaderOutbox;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.compute.region.core.SessionRenewer;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A compute process: leaders, their renewer, and the links to the WAL nodes. */
final class SimStore extends SimProcess {
    private final long storeId;
    private final Cluster cluster;
    private final Map<Long, SimLink> links = new TreeMap<>();
    private final Set<Long> connected = new TreeSet<>();
    private final Map<Long, SimPeer> peers = new TreeMap<>();
    private final Map<Long, Long> endedTerms = new TreeMap<>();
    private final Map<Long, List<WalRequest>> outbox = new TreeMap<>();
    private Owner owner = Owner.getDefaultInstance();
    private @Nullable SessionRenewer renewer;

    SimStore(Sim sim, Cluster cluster, long storeId, double rate) {
        super(sim, "store" + storeId, rate);
        this.storeId = storeId;
        this.cluster = cluster;
    }

    long storeId() {
        return storeId;
    }

    Owner owner() {
        return owner;
    }

    @Nullable SimPeer peer(long regionId) {
        return peers.get(regionId);
    }

    Iterable<SimPeer> peers() {
        return peers.values();
    }

    Iterable<SimLink> links() {
        return links.values();
    }

    /** The last term that has ended here; 0 when none. */
    long endedTerm(long regionId) {
        return endedTerms.getOrDefault(regionId, 0L);
    }

    void start(long incarnation) {
        begin();
        owner = Owner.newBuilder().setStoreId(storeId).setIncarnation(incarnation).build();
        LeaderOutbox out = this::queue;
        renewer =
                new SessionRenewer(
                        cluster.settings().leader(),
                        cluster.plant().leaderRules(),
                        owner,
                        out,
                        (walId, region, term) -> {
                            SimPeer peer = peers.get(region);
                            if (peer != null) {
                                peer.leader().onPending(walId, term, now());
                            }
                        });
        for (SimWal wal : cluster.voters()) {
            SimLink link = new SimLink(sim, cluster.settings(), this, wal);
            links.put(wal.walId(), link);
            wal.attach(link);
            link.connectSoon();
        }
        tickSoon();
    }

    void crash() {
        if (!alive()) {
            return;
        }
        end();
        for (SimLink link : links.values()) {
            link.breakUp("crash");
            link.wal().detach(link);
        }
        links.clear();
        connected.clear();
        peers.clear();
        endedTerms.clear();
        outbox.clear();
        renewer = null;
    }

    private void tickSoon() {
        later(
                sim.between(20 * Sim.MS, 100 * Sim.MS),
                "store tick",
                () -> {
                    step(
                            renewing -> {
                                renewing.tick(now());
                                for (SimPeer peer : peers.values()) {
                                    peer.leader().tick(now());
                                }
                            });
                    tickSoon();
                });
    }

    /** One step of the process's loop: something happens, leaders are looked at, all is sent. */
    void step(Consumer<SessionRenewer> action) {
        SessionRenewer renewing = renewer;
        if (renewing == null) {
            return;
        }
        action.accept(renewing);
        for (SimPeer peer : List.copyOf(peers.values())) {
            peer.leader().pump(now());
            peer.settle(now());
        }
        Map<Long, List<WalRequest>> sending = new TreeMap<>(outbox);
        outbox.clear();
        for (SimLink link : links.values()) {
            List<WalRequest> requests = sending.get(link.wal().walId());
            if (requests != null) {
                link.send(requests);
            }
        }
    }

    private void queue(long walId, WalRequest request) {
        outbox.computeIfAbsent(walId, id -> new ArrayList<>()).add(request);
    }

    void onConnected(SimLink link) {
        step(
                renewing -> {
                    long walId = link.wal().walId();
                    connected.add(walId);
                    renewing.onConnected(walId, now());
                    peers.values().forEach(peer -> peer.leader().onConnected(walId, now()));
                });
    }

    void onDisconnected(SimLink link) {
        step(
                renewing -> {
                    long walId = link.wal().walId();
                    connected.remove(walId);
                    renewing.onDisconnected(walId, now());
                    peers.values().forEach(peer -> peer.leader().onDisconnected(walId, now()));
                });
    }

    void onResponses(SimLink link, List<WalResponse> responses) {
        step(
                renewing -> {
                    for (WalResponse response : responses) {
                        long walId = link.wal().walId();
                        SimPeer peer = peers.get(response.getRegionId());
                        if (response.getRegionId() == 0) {
                            renewing.onResponse(walId, response, now());
                        } else if (peer != null) {
                            peer.leader().onResponse(walId, response, now());
                        }
                    }
                });
    }

    /** PD's order, which may come late and more than once. */
    void assign(long regionId, long term, VoterConfig config, @Nullable Origin origin) {
        SimPeer present = peers.get(regionId);
        if ((present != null && present.leader().term() >= term) || endedTerm(regionId) >= term) {
            return;
        }
        step(
                renewing -> {
                    RegionLeader leader =
                            new RegionLeader(
                                    cluster.settings().leader(),
                                    cluster.plant().leaderRules(),
                                    regionId,
                                    term,
                                    owner,
                                    config,
                                    origin,
                                    renewing,
                                    this::queue);
                    sim.trace(name + " assigned", regionId, term);
                    SimPeer before = peers.put(regionId, new SimPeer(this, cluster, leader));
                    if (before != null) {
                        before.drop();
                    }
                    leader.start(now());
                    connected.forEach(walId -> leader.onConnected(walId, now()));
                });
    }

    /** PD's order to add or remove a voter. */
    void changeVoters(long regionId, VoterConfig target) {
        SimPeer peer = peers.get(regionId);
        if (peer != null) {
            step(renewing -> peer.leader().changeVoters(target, List.of()));
        }
    }

    void release(long regionId) {
        SimPeer peer = peers.get(regionId);
        if (peer != null) {
            step(renewing -> peer.leader().beginRelease(now()));
        }
    }

    /** Publishes the regions that are served here. */
    void publishSome() {
        if (running()) {
            step(renewing -> peers.values().forEach(SimPeer::publish));
        }
    }

    void ended(SimPeer peer) {
        RegionLeader leader = peer.leader();
        sim.trace(name + " " + leader.phase(), leader.regionId(), leader.term());
        sim.mark("leader: " + leader.phase());
        endedTerms.merge(leader.regionId(), leader.term(), Math::max);
        peers.remove(leader.regionId(), peer);
    }
}
