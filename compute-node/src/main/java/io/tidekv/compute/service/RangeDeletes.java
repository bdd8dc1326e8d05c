package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.Outcome;
import io.tidekv.proto.kvrpcpb.Context;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Deletes ranges of stored keys, in one region or in all that this store leads. Thread-safe. */
final class RangeDeletes {
    private final Runner runner;

    RangeDeletes(Runner runner) {
        this.runner = runner;
    }

    /** Deletes {@code [start, end)} of a region; an empty end is the region's own. */
    CompletableFuture<Void> delete(Context context, List<Cf> cfs, byte[] start, byte[] end) {
        Target target = runner.checks().check(context);
        checkRange(target, start, end);
        return deleteIn(target, cfs, start, end);
    }

    /** Deletes the part of {@code [start, end)} that this store leads. */
    CompletableFuture<Void> deleteEverywhere(List<Cf> cfs, byte[] start, byte[] end) {
        List<CompletableFuture<Void>> parts = new ArrayList<>();
        for (Region region : runner.regions().regions()) {
            Target target = Target.of(region);
            byte[] regionStart = target.shape().getStartKey().toByteArray();
            byte[] regionEnd = target.shape().getEndKey().toByteArray();
            byte[] from = Arrays.compareUnsigned(start, regionStart) < 0 ? regionStart : start;
            byte[] to = minEnd(end, regionEnd);
            if (to.length == 0 || Arrays.compareUnsigned(from, to) < 0) {
                parts.add(deleteIn(target, cfs, from, to));
            }
        }
        return CompletableFuture.allOf(parts.toArray(CompletableFuture<?>[]::new));
    }

    private CompletableFuture<Void> deleteIn(
            Target target, List<Cf> cfs, byte[] start, byte[] end) {
        byte[] regionEnd = target.shape().getEndKey().toByteArray();
        byte[] to = minEnd(end, regionEnd);
        if (to.length > 0) {
            WriteBatchBuilder batch = new WriteBatchBuilder();
            cfs.forEach(cf -> batch.deleteRange(cf, start, to));
            return runner.propose(target, batch);
        }
        // A range tombstone needs an end: the last key that there is.
        return runner.readTarget(target, Cost.RANGE, view -> untilLast(cfs, start, view))
                .thenCompose(
                        outcome ->
                                outcome.batch() == null
                                        ? CompletableFuture.completedFuture(null)
                                        : runner.propose(target, outcome.batch()));
    }

    private static Outcome<Boolean> untilLast(List<Cf> cfs, byte[] start, KvSnapshot view) {
        WriteBatchBuilder batch = new WriteBatchBuilder();
        for (Cf cf : cfs) {
            try (KvIterator iterator = view.iterator(cf, start, null)) {
                iterator.seekToLast();
                if (iterator.isValid()) {
                    byte[] last = iterator.key();
                    batch.deleteRange(cf, start, Arrays.copyOf(last, last.length + 1));
                }
            }
        }
        return new Outcome<>(true, batch.isEmpty() ? null : batch);
    }

    private static void checkRange(Target target, byte[] start, byte[] end) {
        if (end.length > 0 && Arrays.compareUnsigned(start, end) >= 0) {
            throw new KvException(
                    new KvError.InvalidRequest(
                            "invalid delete range command: its start is not below its end"));
        }
        RequestChecks.checkStart(target, start);
        if (end.length > 0 && !target.bounds().containsBound(end)) {
            throw RequestChecks.keyNotInRegion(target, ByteString.copyFrom(end));
        }
    }

    private static byte[] minEnd(byte[] left, byte[] right) {
        if (left.length == 0 || right.length == 0) {
            return left.length == 0 ? right : left;
        }
        return Arrays.compareUnsigned(left, right) < 0 ? left : right;
    }
}
