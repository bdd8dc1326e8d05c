package io.tidekv.wal.core;

import static io.tidekv.wal.core.VoterBench.ANN;
import static io.tidekv.wal.core.VoterBench.BEN;
import static io.tidekv.wal.core.VoterBench.LEASE_MS;
import static io.tidekv.wal.core.VoterBench.REGION;
import static io.tidekv.wal.core.VoterBench.at;
import static io.tidekv.wal.core.VoterBench.code;
import static io.tidekv.wal.core.VoterBench.request;
import static io.tidekv.wal.core.VoterBench.snapshot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.InvariantViolation;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.RestoreOrigin;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.SplitOrigin;
import io.tidekv.proto.wal.AppendResponse;
import io.tidekv.proto.wal.ReadResponse;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import org.junit.jupiter.api.Test;

/** What a voter does to its log. */
class VoterLogTest {
    private final VoterBench bench = new VoterBench();

    @Test
    void nothingButACreateMakesARegion() {
        assertThat(code(bench.open(ANN, 1))).isEqualTo(WalErrorCode.UNKNOWN_REGION);
        assertThat(code(bench.append(ANN, 1, at(0, 0), 0, 1)))
                .isEqualTo(WalErrorCode.UNKNOWN_REGION);
        assertThat(bench.node().regionCount()).isZero();
        bench.created().created();
        assertThat(bench.node().regionCount()).isEqualTo(1);
    }

    @Test
    void aCreateWithAnotherOriginIsRefusedAndAChildStartsAtItsFirstRecord() {
        ObjectRef record = ObjectRef.newBuilder().setKey("record/7/1-1-x").build();
        Origin split =
                Origin.newBuilder()
                        .setSplit(
                                SplitOrigin.newBuilder()
                                        .setParentRegionId(3)
                                        .setSplitIndex(44)
                                        .setFirstRecord(record))
                        .build();
        assertThat(bench.ask(ANN, VoterBench.create(split)).hasCreate()).isTrue();
        assertThat(code(bench.ask(ANN, VoterBench.create(VoterBench.BOOTSTRAP))))
                .isEqualTo(WalErrorCode.INVALID);
        assertThat(bench.open(ANN, 1).getOpen().getSnapshot().getRecord()).isEqualTo(record);
        assertThat(bench.open(ANN, 1).getOpen().getOrigin()).isEqualTo(split);
        assertThat(code(bench.ask(ANN, VoterBench.create(Origin.getDefaultInstance()))))
                .isEqualTo(WalErrorCode.INVALID);
    }

    /** As a node is that has lost a segment, and was left out of the region's voters since. */
    @Test
    void aNodeThatHasForgottenWhereARegionCameFromIsToldWhenItIsAddedAgain() {
        bench.storage.putMeta(
                REGION,
                VoterMeta.newBuilder()
                        .setConfig(VoterBench.CONFIG)
                        .setSnapshot(Snapshot.getDefaultInstance())
                        .setRetiredGeneration(2)
                        .build());
        bench.storage.syncTo(bench.storage.position());
        bench.restart();
        WalRequest.Builder add = VoterBench.create(VoterBench.BOOTSTRAP);
        add.getCreateBuilder().setLearner(true).setTerm(3).setOrder(1);
        assertThat(bench.ask(ANN, add).hasCreate()).isTrue();
        assertThat(bench.open(ANN, 3).getOpen().getOrigin()).isEqualTo(VoterBench.BOOTSTRAP);
    }

    @Test
    void aRestoredRegionStartsAtItsRecord() {
        ObjectRef record = ObjectRef.newBuilder().setKey("record/7/9-0-x").build();
        Origin restore =
                Origin.newBuilder()
                        .setRestore(RestoreOrigin.newBuilder().setFirstRecord(record))
                        .build();
        assertThat(bench.ask(ANN, VoterBench.create(restore)).hasCreate()).isTrue();
        assertThat(bench.open(ANN, 1).getOpen().getSnapshot().getRecord()).isEqualTo(record);
        Origin nothing = Origin.newBuilder().setRestore(RestoreOrigin.getDefaultInstance()).build();
        assertThat(code(bench.ask(ANN, VoterBench.create(nothing))))
                .isEqualTo(WalErrorCode.INVALID);
    }

    @Test
    void entriesSurviveARestartAndCommitIsLearntAgain() {
        bench.created();
        bench.open(ANN, 2);
        bench.append(ANN, 2, at(0, 0), 2, 2, 2, 2);
        assertThat(bench.view().commitIndex()).isEqualTo(2);
        bench.restart();
        assertThat(bench.view().lastIndex()).isEqualTo(3);
        assertThat(bench.view().lastTerm()).isEqualTo(2);
        assertThat(bench.view().commitIndex()).isZero();
        assertThat(bench.terms()).containsExactly(2L, 2L, 2L);
    }

    @Test
    void aRepeatedOrOlderAppendRemovesNothing() {
        bench.created();
        bench.open(ANN, 1);
        bench.append(ANN, 1, at(0, 0), 0, 1, 1, 1, 1);
        AppendResponse again = bench.append(ANN, 1, at(1, 1), 0, 1).getAppend();
        assertThat(again.getMatched()).isTrue();
        assertThat(again.getLastIndex()).isEqualTo(2);
        assertThat(bench.view().lastIndex()).isEqualTo(4);
    }

    @Test
    void aConflictingSuffixIsReplaced() {
        bench.created();
        bench.open(ANN, 1);
        bench.append(ANN, 1, at(0, 0), 0, 1, 1, 1, 1);
        bench.clock.advanceMillis(LEASE_MS);
        bench.open(BEN, 3);
        assertThat(bench.append(BEN, 3, at(2, 1), 0, 3).getAppend().getMatched()).isTrue();
        assertThat(bench.terms()).containsExactly(1L, 1L, 3L);
        bench.restart();
        assertThat(bench.terms()).containsExactly(1L, 1L, 3L);
    }

    @Test
    void aCommittedEntryIsNeverReplaced() {
        bench.created();
        bench.open(ANN, 1);
        bench.append(ANN, 1, at(0, 0), 2, 1, 1);
        bench.clock.advanceMillis(LEASE_MS);
        bench.open(BEN, 2);
        assertThatThrownBy(() -> bench.append(BEN, 2, at(1, 1), 0, 2))
                .isInstanceOf(InvariantViolation.class);
    }

    @Test
    void aMismatchHintsAtTheStartOfTheConflictingTerm() {
        bench.created();
        bench.open(ANN, 2);
        bench.append(ANN, 2, at(0, 0), 1, 1, 1, 2, 2, 2);
        bench.clock.advanceMillis(LEASE_MS);
        bench.open(BEN, 4);
        AppendResponse beyond = bench.append(BEN, 4, at(9, 3), 0, 4).getAppend();
        assertThat(beyond.getMatched()).isFalse();
        assertThat(beyond.getLastIndex()).isEqualTo(5);
        AppendResponse conflict = bench.append(BEN, 4, at(5, 3), 0, 4).getAppend();
        assertThat(conflict.getMatched()).isFalse();
        assertThat(conflict.getLastIndex()).isEqualTo(2);
        AppendResponse committed = bench.append(BEN, 4, at(2, 3), 0, 4).getAppend();
        assertThat(committed.getLastIndex()).isEqualTo(1);
    }

    @Test
    void theSnapshotMovesForwardOnlyAndNeverPastTheCommit() {
        bench.created();
        bench.open(ANN, 1);
        bench.append(ANN, 1, at(0, 0), 2, 1, 1, 1, 1);
        bench.append(ANN, request(ANN, 1, at(4, 1), 2).setSnapshot(snapshot(3, 1)));
        assertThat(bench.view().snapshot().getIndex()).isZero();
        bench.append(ANN, request(ANN, 1, at(4, 1), 3).setSnapshot(snapshot(3, 1)));
        assertThat(bench.view().snapshot().getIndex()).isEqualTo(3);
        bench.append(ANN, request(ANN, 1, at(4, 1), 4).setSnapshot(snapshot(2, 1)));
        assertThat(bench.view().snapshot().getIndex()).isEqualTo(3);
        assertThat(bench.terms()).containsExactly(1L);
        bench.restart();
        assertThat(bench.view().commitIndex()).isEqualTo(3);
    }

    @Test
    void aVoterBehindTheLeadersLogIsResetToItsSnapshot() {
        bench.created();
        bench.open(ANN, 1);
        bench.append(ANN, 1, at(0, 0), 1, 1, 1);
        bench.clock.advanceMillis(LEASE_MS);
        bench.open(BEN, 5);
        var reset =
                request(BEN, 5, at(9, 4), 9, 5)
                        .setSnapshot(snapshot(9, 4))
                        .setResetToSnapshot(true);
        assertThat(bench.append(BEN, reset).getAppend().getLastIndex()).isEqualTo(10);
        assertThat(bench.view().snapshot()).isEqualTo(snapshot(9, 4));
        assertThat(bench.terms()).containsExactly(5L);
        // A reset that comes late keeps what followed (Raft figure 13, step 6).
        bench.append(BEN, 5, at(10, 5), 10, 5);
        bench.append(BEN, reset);
        assertThat(bench.view().lastIndex()).isEqualTo(11);
        bench.restart();
        assertThat(bench.terms()).containsExactly(5L, 5L);
    }

    @Test
    void readsComeInChunksAndOnlyForTheReadersTerm() {
        bench.created();
        bench.open(ANN, 1);
        bench.append(ANN, request(ANN, 1, at(0, 0), 2, 1, 1, 1, 1).setSnapshot(snapshot(2, 1)));
        ReadResponse read = bench.read(1, 0, 1).getRead();
        assertThat(read.getSnapshot().getIndex()).isEqualTo(2);
        assertThat(read.getEntriesList()).extracting("index").containsExactly(3L, 4L);
        assertThat(bench.read(3, 3, 0).getRead().getEntriesList()).hasSize(1);
        assertThat(bench.read(5, 0, 0).getRead().getEntriesList()).isEmpty();
        assertThat(code(bench.read(3, 0, 2))).isEqualTo(WalErrorCode.STALE_TERM);
    }

    @Test
    void senselessAppendsWriteNothing() {
        bench.created();
        bench.open(ANN, 2);
        long position = bench.storage.position();
        assertThat(code(bench.append(ANN, 2, at(0, 0), 0, 2, 1))).isEqualTo(WalErrorCode.INVALID);
        assertThat(code(bench.append(ANN, 2, at(0, 0), 0, 3))).isEqualTo(WalErrorCode.INVALID);
        assertThat(code(bench.append(ANN, 2, at(-1, 0), 0, 1))).isEqualTo(WalErrorCode.INVALID);
        var gap = request(ANN, 2, at(0, 0), 0, 1).addEntries(VoterBench.entry(7, 2));
        assertThat(code(bench.append(ANN, gap))).isEqualTo(WalErrorCode.INVALID);
        var reset = request(ANN, 2, at(0, 0), 0).setResetToSnapshot(true);
        assertThat(code(bench.append(ANN, reset.setSnapshot(snapshot(4, 1)))))
                .isEqualTo(WalErrorCode.INVALID);
        assertThat(code(bench.ask(ANN, WalRequest.newBuilder()))).isEqualTo(WalErrorCode.INVALID);
        assertThat(bench.storage.position()).isEqualTo(position);
        assertThat(bench.storage.durableEntries(REGION)).isEmpty();
    }
}
