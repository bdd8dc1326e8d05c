package io.tidekv.pd.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.pdstate.AdvanceGcSafePoint;
import io.tidekv.proto.pdstate.AdvanceTxnSafePoint;
import io.tidekv.proto.pdstate.Barrier;
import io.tidekv.proto.pdstate.DeleteBarrier;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.SafePointAdvanced;
import io.tidekv.proto.pdstate.SafePoints;
import io.tidekv.proto.pdstate.SetBarrier;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Up to where old versions may go. Both safe points only grow, and always {@code gc <= txn <=}
 * every barrier that has not expired. Timestamps compare as unsigned numbers.
 */
public final class SafePointTable {
    private final TreeMap<String, Barrier> barriers = new TreeMap<>();
    private long txn;
    private long gc;
    private long external;
    private long txnCreateRevision;
    private long txnModRevision;
    private long txnVersion;

    SafePointTable(SafePoints saved) {
        saved.getBarriersList().forEach(b -> barriers.put(b.getId(), b));
        txn = saved.getTxn();
        gc = saved.getGc();
        external = saved.getExternalTimestamp();
        txnCreateRevision = saved.getTxnCreateRevision();
        txnModRevision = saved.getTxnModRevision();
        txnVersion = saved.getTxnVersion();
    }

    SafePointAdvanced advanceTxn(AdvanceTxnSafePoint order, long revision) {
        if (order.getStrict() && Long.compareUnsigned(order.getTarget(), txn) < 0) {
            throw new CommandRefused(
                    FailureKind.DECREASING,
                    "trying to update txn safe point to a smaller value, current value: %s,"
                            + " given: %s",
                    Long.toUnsignedString(txn),
                    Long.toUnsignedString(order.getTarget()));
        }
        dropExpired(order.getNowSeconds());
        long old = txn;
        Barrier blocker = raiseTxn(order.getTarget(), revision);
        return advanced(old, txn, blocker);
    }

    SafePointAdvanced advanceGc(AdvanceGcSafePoint order, long revision) {
        dropExpired(order.getNowSeconds());
        long target = order.getTarget();
        if (Long.compareUnsigned(target, gc) < 0) {
            if (order.getStrict()) {
                throw new CommandRefused(
                        FailureKind.DECREASING,
                        "trying to update GC safe point to a smaller value, current value: %s,"
                                + " given: %s",
                        Long.toUnsignedString(gc),
                        Long.toUnsignedString(target));
            }
            return advanced(gc, gc, null);
        }
        if (Long.compareUnsigned(target, txn) > 0) {
            if (order.getStrict() || barrierBelow(target) != null) {
                throw new CommandRefused(
                        FailureKind.BEYOND,
                        "trying to update GC safe point to a too large value that exceeds the txn"
                                + " safe point, current value: %s, given: %s, current txn safe"
                                + " point: %s",
                        Long.toUnsignedString(gc),
                        Long.toUnsignedString(target),
                        Long.toUnsignedString(txn));
            }
            raiseTxn(target, revision);
        }
        long old = gc;
        gc = target;
        return advanced(old, gc, null);
    }

    Barrier setBarrier(SetBarrier order) {
        Barrier barrier = order.getBarrier();
        if (barrier.getId().isEmpty()) {
            throw new CommandRefused(FailureKind.INVALID, "invalid argument for barrierID: ");
        }
        if (Long.compareUnsigned(barrier.getTs(), txn) < 0) {
            throw new CommandRefused(
                    FailureKind.BEYOND,
                    "trying to set a GC barrier on ts %s which is already behind the txn safe"
                            + " point %s",
                    Long.toUnsignedString(barrier.getTs()),
                    Long.toUnsignedString(txn));
        }
        dropExpired(order.getNowSeconds());
        barriers.put(barrier.getId(), barrier);
        return barrier;
    }

    /** The removed barrier; an empty one when there was none. */
    Barrier deleteBarrier(DeleteBarrier order) {
        dropExpired(order.getNowSeconds());
        Barrier removed = barriers.remove(order.getId());
        return removed == null ? Barrier.getDefaultInstance() : removed;
    }

    void setExternal(long timestamp) {
        if (Long.compareUnsigned(timestamp, external) <= 0) {
            throw new CommandRefused(
                    FailureKind.DECREASING,
                    "the external timestamp should be larger than current external timestamp");
        }
        external = timestamp;
    }

    public long txn() {
        return txn;
    }

    public long gc() {
        return gc;
    }

    public long external() {
        return external;
    }

    /** Those that hold at the given Unix time, by id. */
    public Iterable<Barrier> barriers(long nowSeconds) {
        return barriers.values().stream().filter(b -> !expired(b, nowSeconds)).toList();
    }

    public long txnCreateRevision() {
        return txnCreateRevision;
    }

    public long txnModRevision() {
        return txnModRevision;
    }

    /** How often the transaction safe point has been moved. */
    public long txnVersion() {
        return txnVersion;
    }

    SafePoints save() {
        return SafePoints.newBuilder()
                .setTxn(txn)
                .setGc(gc)
                .addAllBarriers(barriers.values())
                .setExternalTimestamp(external)
                .setTxnCreateRevision(txnCreateRevision)
                .setTxnModRevision(txnModRevision)
                .setTxnVersion(txnVersion)
                .build();
    }

    void checkInvariants() {
        Invariants.check(Long.compareUnsigned(gc, txn) <= 0, "gc safe point above txn safe point");
    }

    /** Raises as far as the barriers allow; returns the one that stood in the way. */
    private @Nullable Barrier raiseTxn(long target, long revision) {
        Barrier blocker = barrierBelow(target);
        long reached = blocker == null ? target : blocker.getTs();
        if (Long.compareUnsigned(reached, txn) > 0) {
            txn = reached;
            txnModRevision = revision;
            txnVersion++;
            if (txnCreateRevision == 0) {
                txnCreateRevision = revision;
            }
        }
        return blocker;
    }

    private @Nullable Barrier barrierBelow(long target) {
        Barrier lowest = null;
        for (Barrier barrier : barriers.values()) {
            if (Long.compareUnsigned(barrier.getTs(), target) < 0
                    && (lowest == null
                            || Long.compareUnsigned(barrier.getTs(), lowest.getTs()) < 0)) {
                lowest = barrier;
            }
        }
        return lowest;
    }

    /**
     * An expired barrier holds nothing, so that dropping it is no change that a refusal would undo.
     */
    private void dropExpired(long nowSeconds) {
        barriers.values().removeIf(b -> expired(b, nowSeconds));
    }

    private static boolean expired(Barrier barrier, long nowSeconds) {
        return barrier.getExpiresAtSeconds() != 0 && barrier.getExpiresAtSeconds() <= nowSeconds;
    }

    private static SafePointAdvanced advanced(long old, long now, @Nullable Barrier blocker) {
        SafePointAdvanced.Builder builder =
                SafePointAdvanced.newBuilder().setOldValue(old).setNewValue(now);
        if (blocker != null) {
            builder.setBlocker(blocker);
        }
        return builder.build();
    }
}
