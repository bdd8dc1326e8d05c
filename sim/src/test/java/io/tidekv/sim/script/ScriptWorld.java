package io.tidekv.sim.script;

import io.tidekv.common.time.ManualClock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Real voters and real leaders in one thread, in which nothing moves but what a script moves. Each
 * method is what a command does; what is seen meanwhile is said.
 */
final class ScriptWorld {
    final ManualClock clock = new ManualClock();
    private final Map<Long, ScriptNode> nodes = new TreeMap<>();
    private final Map<String, ScriptStore> stores = new TreeMap<>();
    private final Map<Owner, String> names = new HashMap<>();
    private final Map<String, List<WalRequest>> delayed = new TreeMap<>();
    private final List<String> said = new ArrayList<>();
    private VoterConfig config = VoterConfig.getDefaultInstance();
    private long incarnations;
    private long issuedTerm;
    private Owner issuedTo = Owner.getDefaultInstance();
    private boolean quiet;

    void say(String line) {
        said.add(line);
    }

    /** What was seen since the last call. */
    List<String> heard() {
        List<String> heard = List.copyOf(said);
        said.clear();
        return heard;
    }

    Collection<ScriptNode> nodes() {
        return nodes.values();
    }

    ScriptNode node(String name) {
        ScriptNode node = nodes.get(Long.parseLong(name.substring(1)));
        if (node == null) {
            throw new IllegalArgumentException("no node " + name);
        }
        return node;
    }

    ScriptStore store(String name) {
        ScriptStore store = stores.get(name);
        return store == null ? startStore(name) : store;
    }

    /** A process starts: PD gives it a new incarnation. */
    ScriptStore startStore(String name) {
        ScriptStore store = new ScriptStore(this, name, name.charAt(0), ++incarnations);
        stores.put(name, store);
        names.put(store.owner, name);
        return store;
    }

    void killStore(String name) {
        stores.remove(name);
    }

    String nameOf(Owner owner) {
        ScriptStore now = stores.get(names.getOrDefault(owner, ""));
        return now == null || now.owner.equals(owner)
                ? names.getOrDefault(owner, "nobody")
                : now.name + " of old";
    }

    void nodes(int count, int voters) {
        VoterConfig.Builder all = VoterConfig.newBuilder().setGeneration(1);
        for (long walId = 1; walId <= count; walId++) {
            nodes.put(walId, new ScriptNode(this, walId));
            if (walId <= voters) {
                all.addWalIds(walId);
            }
        }
        config = all.build();
    }

    /** A folder that was emptied has another UUID: to PD it is another node. */
    void replaceFolder(String name) {
        long walId = nodes.keySet().stream().mapToLong(Long::longValue).max().orElse(0) + 1;
        nodes.remove(node(name).walId);
        ScriptNode fresh = new ScriptNode(this, walId);
        nodes.put(walId, fresh);
        say("the folder of " + name + " is a new node, " + fresh.name());
        stores.values()
                .forEach(
                        store -> {
                            store.disconnect(Long.parseLong(name.substring(1)));
                            store.connect(walId);
                        });
    }

    /** The voters as PD knows them. */
    VoterConfig config() {
        return config;
    }

    void pdLearns(VoterConfig reported) {
        if (reported.getGeneration() > config.getGeneration()) {
            config = reported;
        }
    }

    /** Delivers until nothing is under way. */
    void settle(boolean quietly) {
        quiet = quietly;
        stores.values().forEach(ScriptStore::pump);
        tellAll();
        boolean moved = true;
        while (moved) {
            moved = false;
            for (ScriptStore store : List.copyOf(stores.values())) {
                for (ScriptNode node : List.copyOf(nodes.values())) {
                    moved |= deliver(store, node, true);
                }
            }
        }
        quiet = false;
    }

    void deliver(ScriptStore store, ScriptNode node) {
        store.pump();
        deliver(store, node, true);
    }

    /** The node handles what waits for it and dies before it has synced. */
    void deliverAndCrash(ScriptStore store, ScriptNode node) {
        store.pump();
        deliver(store, node, false);
        node.crash();
        stores.values().forEach(each -> each.disconnect(node.walId));
    }

    private boolean deliver(ScriptStore store, ScriptNode node, boolean sync) {
        List<WalRequest> requests = store.outgoing(node.walId);
        if (requests.isEmpty() || !node.isUp()) {
            return false;
        }
        String there = store.name + " -> " + node.name() + "  ";
        String back = store.name + " <- " + node.name() + "  ";
        requests.forEach(request -> note(there + Telling.request(request)));
        List<WalResponse> responses = node.handle(store.owner, requests, sync);
        for (WalResponse response : responses) {
            note(back + (store.asleep ? "(not read) " : "") + Telling.response(response));
            store.take(node.walId, response);
        }
        store.pump();
        tellAll();
        return true;
    }

    private void note(String line) {
        if (!quiet) {
            say(line);
        }
    }

    void tellAll() {
        stores.values().forEach(ScriptStore::tell);
    }

    /** What is under way is held up, and its connection breaks. */
    void delay(ScriptStore store, ScriptNode node) {
        store.pump();
        delayed.put(store.name + node.name(), store.outgoing(node.walId));
        store.disconnect(node.walId);
    }

    /** What was held up arrives at last; nobody hears the answers. */
    void arrive(ScriptStore store, ScriptNode node) {
        List<WalRequest> late = delayed.remove(store.name + node.name());
        if (late == null) {
            throw new IllegalArgumentException("nothing was held up");
        }
        for (WalRequest request : late) {
            say(store.name + " -> " + node.name() + "  late: " + Telling.request(request));
            for (WalResponse response : node.handle(store.owner, List.of(request), true)) {
                say(store.name + " <- " + node.name() + "  (lost) " + Telling.response(response));
            }
        }
    }

    /** Time passes in small steps, with timers and messages. */
    void pass(long millis) {
        quiet = true;
        for (long passed = 0; passed < millis; passed += 20) {
            clock.advanceMillis(20);
            stores.values().forEach(ScriptStore::tick);
            settle(true);
        }
        tellAll();
    }

    void start(ScriptNode node) {
        node.start();
        stores.values().forEach(store -> store.connect(node.walId));
    }

    void crash(ScriptNode node) {
        node.crash();
        stores.values().forEach(store -> store.disconnect(node.walId));
    }

    /** PD has given a term. */
    void issued(long term, Owner owner) {
        if (term > issuedTerm) {
            issuedTerm = term;
            issuedTo = owner;
        }
    }

    /** A disk has changed what it held; the node that runs on it finds that, and starts anew. */
    void rot(ScriptNode node, long fromIndex) {
        crash(node);
        node.damaged(fromIndex, issuedTerm, issuedTo);
        start(node);
    }

    void show() {
        nodes.values().forEach(node -> say(node.show()));
        stores.values().forEach(store -> say(store.show()));
    }
}
