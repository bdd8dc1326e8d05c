package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.sim.Sim;
import io.tidekv.sim.txn.TxnWorld.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/**
 * Makes a backup beside the transactions: takes a timestamp, settles the region of each key, and
 * then copies what each region holds, one at some time after the other. Begins again with what a
 * region that has moved or split meanwhile did not answer.
 */
final class TxnBackup {
    /** Bugs that must be found, and the right protocol. */
    enum Plant {
        /** As it is. */
        NONE,
        /** Nobody is told of the timestamp. */
        NOT_RAISED,
        /** Prewrites that have chosen lower timestamps are not waited for. */
        PREWRITES_NOT_AWAITED,
        /** Locks go the way of their primaries, whatever other keys say. */
        PRIMARIES_ALONE
    }

    private static final long[] PACES_MS = {1, 8, 60};

    private final TxnWorld world;
    private final Plant plant;
    private final TreeSet<Integer> left = new TreeSet<>();
    private final TreeMap<Integer, ByteString> copies = new TreeMap<>();
    private final long pace;
    private boolean copying;
    private long began;
    private long ts;

    TxnBackup(TxnWorld world, Plant plant) {
        this.world = world;
        this.plant = plant;
        this.pace = PACES_MS[world.random().nextInt(PACES_MS.length)] * Sim.MS;
    }

    Plant plant() {
        return plant;
    }

    /** When it began: what was told before is in it. */
    long beganNanos() {
        return began;
    }

    /** The moment that it is of. */
    long ts() {
        return ts;
    }

    boolean isDone() {
        return copies.size() == TxnKeysIn.COUNT;
    }

    /** What was stored for each key, as a batch. */
    List<ByteString> copies() {
        return List.copyOf(copies.values());
    }

    void begin() {
        began = world.sim().nowNanos();
        world.timestampLater()
                .thenAccept(
                        given -> {
                            ts = given;
                            copying = plant == Plant.NOT_RAISED;
                            wantAll();
                            next();
                        });
    }

    private void wantAll() {
        for (int i = 0; i < TxnKeysIn.COUNT; i++) {
            left.add(i);
        }
    }

    private void next() {
        if (left.isEmpty() && !copying) {
            copying = true;
            wantAll();
        }
        if (left.isEmpty()) {
            world.sim().mark("backup: done");
            return;
        }
        List<Integer> keys = new ArrayList<>(left);
        ByteString key = TxnKeysIn.key(keys.get(world.random().nextInt(keys.size())));
        world.sim().after(world.random().nextLong(0, pace), "backup", () -> ask(key));
    }

    private void ask(ByteString key) {
        Route route = world.route(key);
        if (route == null) {
            next();
            return;
        }
        long life = route.store().life();
        long id = route.context().getRegionId();
        boolean[] over = new boolean[1];
        Runnable goOn =
                () -> {
                    if (!over[0]) {
                        over[0] = true;
                        next();
                    }
                };
        // An owner that dies does not answer.
        world.sim().after(1_000 * Sim.MS, "backup not answered", goOn);
        settle(route, key)
                .thenCompose(done -> copying ? copy(route, id) : shape(route, id))
                .whenComplete(
                        (shape, error) -> {
                            world.served(error);
                            if (over[0]) {
                                return;
                            }
                            if (error == null && route.store().life() == life) {
                                forEachKey(shape, left::remove);
                            } else {
                                world.sim().mark("backup: again");
                            }
                            goOn.run();
                        });
    }

    private CompletableFuture<Void> settle(Route route, ByteString key) {
        if (plant == Plant.NOT_RAISED) {
            return CompletableFuture.completedFuture(null);
        }
        if (plant == Plant.PREWRITES_NOT_AWAITED) {
            GetRequest read =
                    GetRequest.newBuilder()
                            .setContext(route.context())
                            .setKey(key)
                            .setVersion(ts)
                            .build();
            return route.store().core().reads().get(read).thenAccept(answer -> {});
        }
        return route.store()
                .core()
                .moments()
                .settle(route.context().getRegionId(), ts, false)
                .thenAccept(settled -> {});
    }

    private static CompletableFuture<RegionShape> shape(Route route, long id) {
        return CompletableFuture.completedFuture(route.store().region(id).shape());
    }

    /** A publication: of what the region holds at some time after it was asked. */
    private CompletableFuture<RegionShape> copy(Route route, long id) {
        Region region = route.store().region(id);
        CompletableFuture<RegionShape> copied = new CompletableFuture<>();
        world.sim()
                .after(
                        world.random().nextLong(0, pace),
                        "backup copies",
                        () -> copy(region, copied));
        return copied;
    }

    private void copy(Region region, CompletableFuture<RegionShape> copied) {
        RegionShape shape = region.shape();
        region.read(shape.getVersion())
                .whenComplete(
                        (view, error) -> {
                            if (error != null) {
                                copied.completeExceptionally(error);
                                return;
                            }
                            try (view) {
                                forEachKey(shape, key -> copies.putIfAbsent(key, rows(view, key)));
                            }
                            copied.complete(shape);
                        });
    }

    private interface OfKey {
        void run(int key);
    }

    private static void forEachKey(RegionShape shape, OfKey action) {
        for (int i = 0; i < TxnKeysIn.COUNT; i++) {
            if (TxnKeysIn.contains(shape, TxnKey.of(TxnKeysIn.key(i)).encoded())) {
                action.run(i);
            }
        }
    }

    private static ByteString rows(KvSnapshot view, int key) {
        WriteBatchBuilder batch = new WriteBatchBuilder();
        for (Cf cf : Cf.values()) {
            try (KvIterator rows = view.iterator(cf, start(key), start(key + 1))) {
                for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                    batch.put(cf, rows.key(), rows.value());
                }
            }
        }
        return batch.build();
    }

    /** Where the rows of a key begin. */
    static byte[] start(int key) {
        return TxnKey.of(TxnKeysIn.key(key)).encoded();
    }
}
