package io.tidekv.wal.core;

import static io.tidekv.wal.core.VoterBench.ANN;
import static io.tidekv.wal.core.VoterBench.BEN;
import static io.tidekv.wal.core.VoterBench.LEASE_MS;
import static io.tidekv.wal.core.VoterBench.REGION;
import static io.tidekv.wal.core.VoterBench.at;
import static io.tidekv.wal.core.VoterBench.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import org.junit.jupiter.api.Test;

/** Who may own a region at a voter, and until when. */
class VoterLeaseTest {
    private final VoterBench bench = new VoterBench();

    @Test
    void anOpenByAnotherOwnerWaitsForTheLeaseAndIsRemembered() {
        bench.created();
        assertThat(bench.open(ANN, 1).hasOpen()).isTrue();
        bench.clock.advanceMillis(300);

        WalResponse refused = bench.open(BEN, 2);
        assertThat(code(refused)).isEqualTo(WalErrorCode.LEASE_HELD);
        assertThat(refused.getError().getLeaseRemainingMs()).isEqualTo(LEASE_MS - 300);
        assertThat(bench.storage.durableMeta(REGION).getPendingTerm()).isEqualTo(2);

        bench.clock.advanceMillis(LEASE_MS - 300 - 1);
        assertThat(code(bench.open(BEN, 2))).isEqualTo(WalErrorCode.LEASE_HELD);
        bench.clock.advanceMillis(1);
        assertThat(bench.open(BEN, 2).hasOpen()).isTrue();
        assertThat(bench.view().pendingTerm()).isZero();
        assertThat(code(bench.append(ANN, 1, at(0, 0), 0, 1))).isEqualTo(WalErrorCode.STALE_TERM);
    }

    @Test
    void whileATermIsPendingNothingExtendsTheLease() {
        bench.created();
        long session = bench.open(ANN, 1).getOpen().getSession();
        bench.open(BEN, 2);
        bench.clock.advanceMillis(600);

        WalResponse appended = bench.append(ANN, 1, at(0, 0), 0, 1);
        assertThat(appended.getAppend().getMatched()).isTrue();
        assertThat(appended.getAppend().getSession()).isZero();
        assertThat(appended.getPendingTerm()).isEqualTo(2);
        WalResponse renewed = bench.renew(ANN, session);
        assertThat(renewed.getRenew().getPendingList()).hasSize(1);
        assertThat(renewed.getRenew().getPending(0).getRegionId()).isEqualTo(REGION);
        assertThat(renewed.getRenew().getPending(0).getTerm()).isEqualTo(2);

        bench.clock.advanceMillis(LEASE_MS - 600);
        assertThat(bench.open(BEN, 2).hasOpen()).isTrue();
        // The session goes on for the owner's other regions, and still says that this one is gone.
        assertThat(bench.renew(ANN, session).getRenew().getPendingList()).hasSize(1);
    }

    @Test
    void aRenewalExtendsEveryRegionOfTheSession() {
        bench.created();
        long session = bench.open(ANN, 1).getOpen().getSession();
        for (int i = 0; i < 5; i++) {
            bench.clock.advanceMillis(LEASE_MS - 1);
            assertThat(bench.renew(ANN, session).getRenew().getSession()).isEqualTo(session);
        }
        bench.clock.advanceMillis(LEASE_MS - 1);
        assertThat(code(bench.open(BEN, 2))).isEqualTo(WalErrorCode.LEASE_HELD);
    }

    @Test
    void aLapsedSessionIsNeverRevived() {
        bench.created();
        long session = bench.open(ANN, 1).getOpen().getSession();
        bench.clock.advanceMillis(LEASE_MS);
        assertThat(code(bench.renew(ANN, session))).isEqualTo(WalErrorCode.SESSION_LOST);
        // The region rejoins by its own round, in a new session.
        long rejoined = bench.append(ANN, 1, at(0, 0), 0).getAppend().getSession();
        assertThat(rejoined).isNotZero().isNotEqualTo(session);
        assertThat(code(bench.renew(ANN, session))).isEqualTo(WalErrorCode.SESSION_LOST);
        assertThat(bench.renew(ANN, rejoined).hasRenew()).isTrue();
    }

    @Test
    void aRestartedVoterWaitsTheLongestLeaseItPromised() {
        bench.created();
        long session = bench.open(ANN, 1).getOpen().getSession();
        bench.clock.advanceMillis(LEASE_MS - 1);
        bench.renew(ANN, session);
        bench.restart();

        assertThat(code(bench.renew(ANN, session))).isEqualTo(WalErrorCode.SESSION_LOST);
        assertThat(code(bench.open(BEN, 2))).isEqualTo(WalErrorCode.LEASE_HELD);
        bench.restart();
        bench.clock.advanceMillis(LEASE_MS - 1);
        assertThat(code(bench.open(BEN, 2))).isEqualTo(WalErrorCode.LEASE_HELD);
        bench.clock.advanceMillis(1);
        assertThat(bench.open(BEN, 2).hasOpen()).isTrue();
    }

    @Test
    void theOwnerItselfNeedNotWaitAfterARestartOfTheVoter() {
        bench.created();
        bench.open(ANN, 1);
        bench.restart();
        assertThat(bench.append(ANN, 1, at(0, 0), 0, 1).getAppend().getMatched()).isTrue();
        assertThat(bench.open(ANN, 2).hasOpen()).isTrue();
    }

    @Test
    void aReleaseHoldsUntilAHigherTermAndAcrossARestart() {
        bench.created();
        bench.open(ANN, 1);
        assertThat(bench.release(ANN, 1).hasRelease()).isTrue();
        assertThat(bench.release(ANN, 1).hasRelease()).isTrue();
        assertThat(code(bench.append(ANN, 1, at(0, 0), 0, 1))).isEqualTo(WalErrorCode.NOT_OWNER);
        assertThat(code(bench.open(ANN, 1))).isEqualTo(WalErrorCode.STALE_TERM);
        bench.restart();
        assertThat(bench.open(BEN, 2).hasOpen()).isTrue();
        assertThat(code(bench.release(ANN, 1))).isEqualTo(WalErrorCode.STALE_TERM);
    }

    @Test
    void anOpenIsRepeatedOnlyBySameIncarnationAndBeforeTheFirstEntry() {
        bench.created();
        bench.open(ANN, 1);
        assertThat(bench.open(ANN, 1).hasOpen()).isTrue();
        Owner reborn = VoterBench.owner(1, 12);
        assertThat(code(bench.open(reborn, 1))).isEqualTo(WalErrorCode.NOT_OWNER);
        bench.append(ANN, 1, at(0, 0), 0, 1);
        assertThat(code(bench.open(ANN, 1))).isEqualTo(WalErrorCode.STALE_TERM);
    }

    @Test
    void anAppendOfAHigherTermRespectsALiveLeaseAsAnOpenDoes() {
        bench.created();
        bench.open(ANN, 1);
        assertThat(code(bench.append(BEN, 2, at(0, 0), 0, 2))).isEqualTo(WalErrorCode.LEASE_HELD);
        assertThat(bench.view().pendingTerm()).isEqualTo(2);
        bench.clock.advanceMillis(LEASE_MS);
        assertThat(bench.append(BEN, 2, at(0, 0), 0, 2).getAppend().getMatched()).isTrue();
        assertThat(bench.view().term()).isEqualTo(2);
        assertThat(bench.view().owner()).isEqualTo(BEN);
    }

    @Test
    void aTermBelowThePendingOneIsOver() {
        bench.created();
        bench.open(ANN, 1);
        bench.open(BEN, 3);
        bench.clock.advanceMillis(LEASE_MS);
        WalResponse late = bench.open(VoterBench.owner(3, 33), 2);
        assertThat(code(late)).isEqualTo(WalErrorCode.STALE_TERM);
        assertThat(late.getError().getTerm()).isEqualTo(3);
    }

    @Test
    void whatIsRefusedChangesNothingAndStrangersCannotSpeakForAnOwner() {
        bench.created();
        bench.open(ANN, 1);
        WalRequest.Builder forged =
                WalRequest.newBuilder()
                        .setOpen(
                                OpenRequest.newBuilder()
                                        .setTerm(2)
                                        .setOwner(ANN)
                                        .setLeaseMs(LEASE_MS));
        assertThat(code(bench.ask(BEN, forged))).isEqualTo(WalErrorCode.INVALID);
        assertThat(code(bench.open(BEN, 0))).isEqualTo(WalErrorCode.INVALID);
        assertThat(code(bench.ask(ANN, WalRequest.newBuilder()))).isEqualTo(WalErrorCode.INVALID);
        assertThat(bench.view().term()).isEqualTo(1);
        assertThat(bench.view().pendingTerm()).isZero();
    }

    @Test
    void sessionsThatLapsedAreForgotten() {
        bench.created();
        bench.open(ANN, 1);
        bench.node().tick(bench.clock.read());
        assertThat(bench.node().sessionCount()).isEqualTo(1);
        bench.clock.advanceMillis(LEASE_MS);
        bench.node().tick(bench.clock.read());
        assertThat(bench.node().sessionCount()).isZero();
    }
}
