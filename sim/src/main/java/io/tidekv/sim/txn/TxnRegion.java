package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.sim.Sim;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A region with its log, as its owners see it: batches are applied in order some time after they
 * were written; when the owner changes, those under way are applied up to some point and the rest
 * is lost, and nobody is told which.
 */
final class TxnRegion {
    private final TxnWorld world;
    private final ArrayDeque<Pending> log = new ArrayDeque<>();
    private RegionShape shape;
    private long term;
    private @Nullable Handle owner;
    private long lastApplyAt;

    private static final class Pending {
        private final ByteString batch;
        private final CompletableFuture<Void> applied = new CompletableFuture<>();

        Pending(ByteString batch) {
            this.batch = batch;
        }
    }

    TxnRegion(TxnWorld world, RegionShape shape) {
        this.world = world;
        this.shape = shape;
    }

    RegionShape shape() {
        return shape;
    }

    @Nullable TxnStore store() {
        return owner == null ? null : owner.store;
    }

    RegionAccess.@Nullable Region handleFor(TxnStore store) {
        return owner != null && owner.store == store ? owner : null;
    }

    /** The owner is gone; some of what it wrote last survives. */
    void fence() {
        if (owner == null) {
            return;
        }
        owner = null;
        int kept = log.isEmpty() ? 0 : world.random().nextInt(log.size() + 1);
        for (int i = 0; !log.isEmpty(); i++) {
            Pending pending = log.remove();
            if (i < kept) {
                apply(pending.batch);
            }
            pending.applied.completeExceptionally(
                    new KvException(new KvError.Undetermined("the owner changed")));
        }
        world.sim().mark("region: owner fenced");
    }

    void own(TxnStore store) {
        term++;
        shape =
                shape.toBuilder()
                        .setPeerId(world.newId())
                        .setConfVer(shape.getConfVer() + 1)
                        .build();
        owner = new Handle(store, term);
        lastApplyAt = world.sim().nowNanos();
    }

    /** Ends this region at {@code key}; the new one begins there, with the same owner. */
    void splitInto(TxnRegion right, ByteString key) {
        while (!log.isEmpty()) {
            Pending pending = log.remove();
            apply(pending.batch);
            pending.applied.complete(null);
        }
        long version = shape.getVersion() + 1;
        right.shape = right.shape.toBuilder().setStartKey(key).setVersion(version).build();
        shape = shape.toBuilder().setEndKey(key).setVersion(version).build();
        if (owner != null) {
            right.own(owner.store);
        }
    }

    private void apply(ByteString batch) {
        world.engine().apply(world.plant().batch(world, batch));
    }

    private void applyNext(Pending expected) {
        if (!log.isEmpty() && log.peek() == expected) {
            log.remove();
            apply(expected.batch);
            expected.applied.complete(null);
        }
    }

    /** The region in one term of one store. */
    private final class Handle implements RegionAccess.Region {
        private final TxnStore store;
        private final long myTerm;

        Handle(TxnStore store, long myTerm) {
            this.store = store;
            this.myTerm = myTerm;
        }

        @Override
        public RegionShape shape() {
            return shape;
        }

        @Override
        public long term() {
            return myTerm;
        }

        @Override
        public CompletableFuture<KvSnapshot> read(long version) {
            CompletableFuture<KvSnapshot> result = new CompletableFuture<>();
            Runnable take =
                    () -> {
                        KvException refusal = refuse(version);
                        if (refusal == null) {
                            result.complete(world.snapshot(shape));
                        } else {
                            result.completeExceptionally(refusal);
                        }
                    };
            if (world.random().chance(0.6)) {
                take.run();
            } else {
                world.sim().after(world.random().nextLong(0, 4 * Sim.MS), "read", take);
            }
            return result;
        }

        @Override
        public CompletableFuture<Void> write(long version, WriteBatchBuilder batch) {
            KvException refusal = refuse(version);
            if (refusal != null) {
                return CompletableFuture.failedFuture(refusal);
            }
            if (batch.isEmpty() && world.plant().forgetsWritesUnderWay()) {
                return CompletableFuture.completedFuture(null);
            }
            Pending pending = new Pending(batch.build());
            log.add(pending);
            long now = world.sim().nowNanos();
            if (world.isFaulty() && world.random().chance(0.02)) {
                timeOut(pending);
            }
            lastApplyAt =
                    Math.max(lastApplyAt, now + world.random().nextLong(Sim.MS, 15 * Sim.MS)) + 1;
            world.sim().after(lastApplyAt - now, "apply", () -> applyNext(pending));
            return pending.applied;
        }

        /** The owner does not wait for the batch any longer, which is applied all the same. */
        private void timeOut(Pending pending) {
            world.sim().mark("region: write timed out");
            long late = world.sim().nowNanos() + world.random().nextLong(0, 300 * Sim.MS);
            lastApplyAt = Math.max(lastApplyAt, late);
            world.sim()
                    .after(
                            world.random().nextLong(0, 20 * Sim.MS),
                            "write times out",
                            () ->
                                    pending.applied.completeExceptionally(
                                            new KvException(
                                                    new KvError.Undetermined("it took long"))));
        }

        private @Nullable KvException refuse(long version) {
            if (owner != this) {
                return new KvException(new KvError.NotLeader(shape.getRegionId(), null, "moved"));
            }
            if (version != shape.getVersion()) {
                return new KvException(new KvError.EpochNotMatch(List.of(), "split"));
            }
            return null;
        }

        @Override
        public CompletableFuture<List<RegionShape>> split(long version, List<byte[]> keys) {
            throw new UnsupportedOperationException("the world splits regions");
        }
    }
}
