package io.tidekv.pd.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.pdstate.AdvanceGcSafePoint;
import io.tidekv.proto.pdstate.AdvanceTxnSafePoint;
import io.tidekv.proto.pdstate.Barrier;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.DeleteBarrier;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.Result;
import io.tidekv.proto.pdstate.SetBarrier;
import io.tidekv.proto.pdstate.SetExternalTimestamp;
import org.junit.jupiter.api.Test;

/** Rules of the notes on the protocol, 5.5: gc at most txn at most every barrier. */
class SafePointTableTest {
    private final PdState state = PdState.empty();

    @Test
    void aBarrierStopsTheTransactionSafePoint() {
        barrier("b", 50, 100, 0);
        Result advanced = txn(80, 0, true);
        assertThat(advanced.getSafePointAdvanced().getNewValue()).isEqualTo(50);
        assertThat(advanced.getSafePointAdvanced().getBlocker().getId()).isEqualTo("b");
        assertThat(txn(40, 0, true).getFailure().getKind()).isEqualTo(FailureKind.DECREASING);
        assertThat(txn(40, 0, false).getSafePointAdvanced().getNewValue()).isEqualTo(50);
        assertThat(barrier("late", 49, 100, 0).getFailure().getKind())
                .isEqualTo(FailureKind.BEYOND);
        assertThat(txn(80, 100, true).getSafePointAdvanced().getNewValue())
                .as("the barrier has expired")
                .isEqualTo(80);
    }

    @Test
    void theOldCallForGcRaisesBothUnlessABarrierForbids() {
        assertThat(gc(10, true).getFailure().getKind()).isEqualTo(FailureKind.BEYOND);
        assertThat(gc(10, false).getSafePointAdvanced().getNewValue()).isEqualTo(10);
        assertThat(state.safePoints().txn()).isEqualTo(10);
        assertThat(gc(5, false).getSafePointAdvanced().getNewValue()).isEqualTo(10);
        assertThat(gc(5, true).getFailure().getKind()).isEqualTo(FailureKind.DECREASING);
        barrier("b", 20, 0, 0);
        assertThat(gc(30, false).getFailure().getKind()).isEqualTo(FailureKind.BEYOND);
        assertThat(state.safePoints().gc()).isEqualTo(10);
        state.apply(
                Command.newBuilder()
                        .setDeleteBarrier(DeleteBarrier.newBuilder().setId("b"))
                        .build());
        assertThat(gc(30, false).getSafePointAdvanced().getNewValue()).isEqualTo(30);
    }

    @Test
    void theKeyInEtcdHasAHistory() {
        assertThat(state.safePoints().txnVersion()).isZero();
        txn(5, 0, true);
        txn(5, 0, true);
        txn(6, 0, true);
        assertThat(state.safePoints().txnVersion()).isEqualTo(2);
        assertThat(state.safePoints().txnCreateRevision()).isEqualTo(1);
        assertThat(state.safePoints().txnModRevision()).isEqualTo(3);
    }

    @Test
    void theExternalTimestampGrows() {
        assertThat(external(7).hasFailure()).isFalse();
        assertThat(external(7).getFailure().getKind()).isEqualTo(FailureKind.DECREASING);
        assertThat(state.safePoints().external()).isEqualTo(7);
    }

    private Result txn(long target, long now, boolean strict) {
        return state.apply(
                Command.newBuilder()
                        .setAdvanceTxnSafePoint(
                                AdvanceTxnSafePoint.newBuilder()
                                        .setTarget(target)
                                        .setNowSeconds(now)
                                        .setStrict(strict))
                        .build());
    }

    private Result gc(long target, boolean strict) {
        return state.apply(
                Command.newBuilder()
                        .setAdvanceGcSafePoint(
                                AdvanceGcSafePoint.newBuilder().setTarget(target).setStrict(strict))
                        .build());
    }

    private Result barrier(String id, long ts, long expires, long now) {
        return state.apply(
                Command.newBuilder()
                        .setSetBarrier(
                                SetBarrier.newBuilder()
                                        .setNowSeconds(now)
                                        .setBarrier(
                                                Barrier.newBuilder()
                                                        .setId(id)
                                                        .setTs(ts)
                                                        .setExpiresAtSeconds(expires)))
                        .build());
    }

    private Result external(long ts) {
        return state.apply(
                Command.newBuilder()
                        .setSetExternalTimestamp(SetExternalTimestamp.newBuilder().setTimestamp(ts))
                        .build());
    }
}
