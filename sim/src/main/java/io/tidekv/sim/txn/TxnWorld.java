package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.MemoryEngine;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.service.Futures;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.sim.Sim;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Stores, regions, their data, timestamps, and what goes wrong with them. */
final class TxnWorld {
    private static final int STORES = 3;
    private static final long EPOCH_MS = 1_700_000_000_000L;
    private static final int LOGICAL_BITS = 18;

    private final Sim sim;
    private final TxnPlant plant;
    private final MemoryEngine engine = new MemoryEngine();
    private final List<TxnStore> stores = new ArrayList<>();
    private final TreeMap<Long, TxnRegion> regions = new TreeMap<>();
    private final List<Throwable> failures = new ArrayList<>();
    private long nextId = 100;
    private long lastTs;
    private boolean faulty = true;

    TxnWorld(Sim sim, TxnPlant plant) {
        this.sim = sim;
        this.plant = plant;
        for (int i = 0; i < STORES; i++) {
            stores.add(new TxnStore(this, i + 1));
        }
        TxnRegion first =
                new TxnRegion(
                        this,
                        RegionShape.newBuilder()
                                .setRegionId(newId())
                                .setVersion(1)
                                .setConfVer(1)
                                .build());
        regions.put(first.shape().getRegionId(), first);
        first.own(stores.get(0));
    }

    Sim sim() {
        return sim;
    }

    Randomness random() {
        return sim.random();
    }

    TxnPlant plant() {
        return plant;
    }

    MemoryEngine engine() {
        return engine;
    }

    long newId() {
        return nextId++;
    }

    @Nullable TxnRegion region(long id) {
        return regions.get(id);
    }

    Collection<TxnRegion> regions() {
        return regions.values();
    }

    /** Where a request for a key goes, and its store. */
    record Route(Context context, TxnStore store, RegionShape shape) {}

    /** Null while the region has no owner. */
    @Nullable Route route(ByteString key) {
        byte[] stored = TxnKey.of(key).encoded();
        for (TxnRegion region : regions.values()) {
            if (TxnKeysIn.contains(region.shape(), stored)) {
                TxnStore store = region.store();
                return store == null
                        ? null
                        : new Route(context(region, store), store, region.shape());
            }
        }
        throw new IllegalStateException("the regions leave a gap");
    }

    private static Context context(TxnRegion region, TxnStore store) {
        RegionShape shape = region.shape();
        return Context.newBuilder()
                .setRegionId(shape.getRegionId())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setConfVer(shape.getConfVer())
                                .setVersion(shape.getVersion()))
                .setPeer(Peer.newBuilder().setId(shape.getPeerId()).setStoreId(store.storeId()))
                .build();
    }

    KvSnapshot snapshot(RegionShape shape) {
        return engine.snapshot(shape.getStartKey().toByteArray(), shape.getEndKey().toByteArray());
    }

    long timestamp() {
        long now = (EPOCH_MS + sim.nowNanos() / Sim.MS) << LOGICAL_BITS;
        lastTs = Math.max(lastTs + 1, now);
        return lastTs;
    }

    /** A timestamp from PD: taken at some moment of the call. */
    CompletableFuture<Long> timestampLater() {
        CompletableFuture<Long> result = new CompletableFuture<>();
        sim.after(
                random().nextLong(0, 3 * Sim.MS),
                "tso",
                () -> {
                    long ts = timestamp();
                    sim.after(
                            random().nextLong(0, 3 * Sim.MS),
                            "tso back",
                            () -> result.complete(ts));
                });
        return result;
    }

    boolean isFaulty() {
        return faulty;
    }

    void heal() {
        faulty = false;
    }

    /** Stores fail with errors that clients know; anything else is a bug. */
    void served(@Nullable Throwable error) {
        Throwable cause = error == null ? null : Futures.unwrap(error);
        if (cause != null && !(cause instanceof KvException)) {
            failures.add(cause);
        }
    }

    List<Throwable> failures() {
        return failures;
    }

    /** Something happens to a region or a store, and again some time later. */
    void disturb() {
        if (!faulty) {
            return;
        }
        int what = random().nextInt(10);
        List<TxnRegion> all = List.copyOf(regions.values());
        TxnRegion region = all.get(random().nextInt(all.size()));
        if (what < 6) {
            move(region);
        } else if (what < 8 && all.size() < 5) {
            split(region);
        } else {
            TxnStore store = stores.get(random().nextInt(STORES));
            all.stream().filter(each -> each.store() == store).forEach(this::move);
            store.restart();
            sim.mark("store: restarted");
        }
        sim.after(random().nextLong(20 * Sim.MS, 400 * Sim.MS), "disturb", this::disturb);
    }

    /** Begins with some regions, on some stores. */
    void divide() {
        for (int i = 0; i < TxnKeysIn.COUNT; i++) {
            List<TxnRegion> all = List.copyOf(regions.values());
            split(all.get(random().nextInt(all.size())));
        }
        regions.values().forEach(region -> region.own(stores.get(random().nextInt(STORES))));
    }

    private void move(TxnRegion region) {
        if (region.store() == null) {
            return;
        }
        region.fence();
        sim.after(
                random().nextLong(0, 60 * Sim.MS),
                "own",
                () -> region.own(stores.get(random().nextInt(STORES))));
    }

    private void split(TxnRegion region) {
        ByteString key =
                ByteString.copyFrom(
                        TxnKey.of(TxnKeysIn.key(random().nextInt(TxnKeysIn.COUNT))).encoded());
        byte[] at = key.toByteArray();
        if (region.store() == null
                || !TxnKeysIn.contains(region.shape(), at)
                || region.shape().getStartKey().equals(key)) {
            return;
        }
        TxnRegion right =
                new TxnRegion(this, region.shape().toBuilder().setRegionId(newId()).build());
        region.splitInto(right, key);
        regions.put(right.shape().getRegionId(), right);
        sim.mark("region: split");
    }
}
