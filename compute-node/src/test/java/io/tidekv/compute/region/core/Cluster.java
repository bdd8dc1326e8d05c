package io.tidekv.compute.region.core;

import io.tidekv.common.time.ManualClock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.core.VoterView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Real voters and real leaders in one thread, for tests that tell a story: nothing moves but what
 * the test moves. {@link #settle} delivers everything that is under way.
 */
final class Cluster {
    static final long REGION = 7;
    static final Origin BOOTSTRAP =
            Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
    static final LeaderOptions OPTIONS =
            new LeaderOptions(1000, 100, 300, 20, 200, 1 << 20, 4096, 16384, 4096);

    final ManualClock clock = new ManualClock();
    final Map<Long, Node> nodes = new TreeMap<>();
    final List<Store> stores = new ArrayList<>();
    final VoterConfig config;
    private long sessions = 1000;

    private final LeaderOptions options;

    Cluster(int voters) {
        this(voters, OPTIONS);
    }

    Cluster(int voters, LeaderOptions options) {
        this.options = options;
        VoterConfig.Builder all = VoterConfig.newBuilder().setGeneration(1);
        for (long walId = 1; walId <= voters; walId++) {
            nodes.put(walId, new Node());
            all.addWalIds(walId);
        }
        config = all.build();
    }

    /** A WAL node. */
    final class Node {
        final MemoryVoterStorage storage = new MemoryVoterStorage();
        VoterNode voters = start();

        private VoterNode start() {
            sessions += 1000;
            return new VoterNode(storage, VoterRules.RIGHT, sessions, clock.read());
        }

        /** Loses what was not synced, and all memory. */
        void restart() {
            storage.crash(0, false);
            voters = start();
        }

        VoterView view() {
            VoterView view = voters.view(REGION);
            if (view == null) {
                throw new AssertionError("no region");
            }
            return view;
        }

        /** Writes a log by hand, as an earlier leader of some term left it. */
        void given(long term, long... terms) {
            List<Entry> entries = new ArrayList<>();
            for (long entryTerm : terms) {
                entries.add(entry(entries.size() + 1, entryTerm));
            }
            storage.putMeta(
                    REGION,
                    VoterMeta.newBuilder()
                            .setTerm(term)
                            .setOwner(owner(9, 9))
                            .setConfig(config)
                            .setOrigin(BOOTSTRAP)
                            .setReleased(true)
                            .build());
            if (!entries.isEmpty()) {
                storage.append(REGION, entries);
            }
            storage.syncTo(storage.position());
            voters = start();
        }

        /** The terms of the entries, first to last. */
        List<Long> terms() {
            List<Long> terms = new ArrayList<>();
            storage.durableEntries(REGION).forEach(entry -> terms.add(entry.getTerm()));
            return terms;
        }
    }

    /** A compute process with a leader. */
    final class Store {
        final Owner owner;
        final Map<Long, ArrayDeque<WalRequest>> links = new TreeMap<>();
        final Map<Long, Integer> appends = new TreeMap<>();
        final SessionRenewer renewer;
        boolean hold;
        @Nullable RegionLeader leader;

        Store(Owner owner) {
            this.owner = owner;
            this.renewer =
                    new SessionRenewer(
                            OPTIONS,
                            LeaderRules.RIGHT,
                            owner,
                            this::send,
                            (walId, region, term) -> leader().onPending(walId, term, clock.read()));
            nodes.keySet().forEach(this::connect);
        }

        RegionLeader leader() {
            RegionLeader present = leader;
            if (present == null) {
                throw new AssertionError("no leader");
            }
            return present;
        }

        private void send(long walId, WalRequest request) {
            if (request.hasAppend()) {
                appends.merge(walId, 1, Integer::sum);
            }
            links.get(walId).add(request);
        }

        Store lead(long term) {
            return lead(term, BOOTSTRAP);
        }

        Store lead(long term, @Nullable Origin origin) {
            RegionLeader fresh =
                    new RegionLeader(
                            options,
                            LeaderRules.RIGHT,
                            REGION,
                            term,
                            owner,
                            config,
                            origin,
                            renewer,
                            this::send);
            leader = fresh;
            links.keySet().forEach(walId -> fresh.onConnected(walId, clock.read()));
            fresh.start(clock.read());
            fresh.pump(clock.read());
            return this;
        }

        void connect(long walId) {
            links.put(walId, new ArrayDeque<>());
            renewer.onConnected(walId, clock.read());
            if (leader != null) {
                leader.onConnected(walId, clock.read());
                leader.pump(clock.read());
            }
        }

        void disconnect(long walId) {
            links.remove(walId);
            renewer.onDisconnected(walId, clock.read());
            if (leader != null) {
                leader.onDisconnected(walId, clock.read());
            }
        }

        Store only(long... walIds) {
            for (long walId : nodes.keySet()) {
                boolean keep = List.of(box(walIds)).contains(walId);
                if (!keep && links.containsKey(walId)) {
                    disconnect(walId);
                } else if (keep && !links.containsKey(walId)) {
                    connect(walId);
                }
            }
            return this;
        }

        /** Handles what waits for the node and takes the answers. Returns how much it was. */
        int deliver(long walId) {
            ArrayDeque<WalRequest> link = links.get(walId);
            if (link == null || hold) {
                return 0;
            }
            List<WalRequest> round = new ArrayList<>(link);
            link.clear();
            Node node = nodes.get(walId);
            List<WalResponse> responses = new ArrayList<>();
            for (WalRequest request : round) {
                responses.add(node.voters.handle(owner, request, clock.read()));
            }
            node.storage.syncTo(node.storage.position());
            responses.forEach(response -> take(walId, response));
            if (leader != null) {
                leader.pump(clock.read());
            }
            return round.size();
        }

        void take(long walId, WalResponse response) {
            if (response.getRegionId() == 0) {
                renewer.onResponse(walId, response, clock.read());
            } else if (leader != null) {
                leader.onResponse(walId, response, clock.read());
            }
        }

        void tick() {
            renewer.tick(clock.read());
            if (leader != null) {
                leader.tick(clock.read());
            }
        }

        LeaderPhase phase() {
            return leader().phase();
        }

        boolean leaseValid() {
            return leader().leaseValid(clock.read());
        }
    }

    private static Long[] box(long[] ids) {
        Long[] boxed = new Long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            boxed[i] = ids[i];
        }
        return boxed;
    }

    static Owner owner(long store, long incarnation) {
        return Owner.newBuilder().setStoreId(store).setIncarnation(incarnation).build();
    }

    static Entry entry(long index, long term) {
        return Entries.write(index, term, index + "@" + term);
    }

    Store store(long id) {
        Store store = new Store(owner(id, 10 * id + stores.size()));
        stores.add(store);
        return store;
    }

    Node node(long walId) {
        return nodes.get(walId);
    }

    /** Delivers until nothing is under way. */
    void settle() {
        int moved;
        do {
            moved = 0;
            for (Store store : stores) {
                for (long walId : List.copyOf(store.links.keySet())) {
                    moved += store.deliver(walId);
                }
            }
        } while (moved > 0);
    }

    /** Lets time pass in small steps with timers and messages running. */
    void run(long millis) {
        for (long passed = 0; passed < millis; passed += 20) {
            clock.advanceMillis(20);
            stores.forEach(
                    store -> {
                        if (!store.hold) {
                            store.tick();
                        }
                    });
            settle();
        }
    }
}
