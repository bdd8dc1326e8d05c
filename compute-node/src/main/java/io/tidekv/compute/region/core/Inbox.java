package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.wal.OpenResponse;
import io.tidekv.proto.wal.WalError;
import io.tidekv.proto.wal.WalResponse;

/** What the responses of voters mean for a leader; returns the state that follows. */
final class Inbox {
    private final Leadership leadership;

    Inbox(Leadership leadership) {
        this.leadership = leadership;
    }

    LeaderState onResponse(
            LeaderState state,
            VoterProgress voter,
            Sent sent,
            WalResponse response,
            Clock.Reading now) {
        LeaderState next =
                response.hasError()
                        ? onError(state, voter, sent, response.getError(), now)
                        : onSuccess(state, voter, sent, response, now);
        long pending = response.getPendingTerm();
        return pending > leadership.term ? next.beginRelease(waits(pending), now) : next;
    }

    static String waits(long pendingTerm) {
        return "term " + pendingTerm + " waits for the region";
    }

    /** A later request was answered, this one not: as if the connection had broken in between. */
    void unanswered(VoterProgress voter, Sent sent) {
        if (sent.kind() == Sent.Kind.READ) {
            lost(sent);
        }
        voter.rewind();
    }

    private void lost(Sent read) {
        leadership.replicator.catchUp.lost(read.seq());
        leadership.feed.lost(read.seq());
    }

    private LeaderState onSuccess(
            LeaderState state,
            VoterProgress voter,
            Sent sent,
            WalResponse response,
            Clock.Reading now) {
        switch (sent.kind()) {
            case OPEN -> {
                if (response.hasOpen()) {
                    return onOpened(state, voter, sent, response.getOpen(), now);
                }
            }
            case APPEND -> {
                if (response.hasAppend()) {
                    leadership.replicator.onAnswer(voter, sent, response.getAppend(), now);
                    return state.onAcked(now);
                }
            }
            case READ -> {
                if (response.hasRead()) {
                    boolean lease = state.wantsLease();
                    if (!leadership.replicator.catchUp.onRead(
                            sent.seq(), response.getRead(), lease, now)) {
                        leadership.feed.onRead(sent.seq(), voter, response.getRead());
                    }
                    return state;
                }
            }
            case RELEASE -> {
                if (response.hasRelease()) {
                    return state.onReleased(voter, now);
                }
            }
            case CREATE -> {
                if (response.hasCreate()) {
                    return state;
                }
            }
            case RETIRE -> {
                if (response.hasRetire()) {
                    return state.onRetired(voter);
                }
            }
        }
        leadership.distrust(voter);
        return state;
    }

    private LeaderState onOpened(
            LeaderState state,
            VoterProgress voter,
            Sent sent,
            OpenResponse open,
            Clock.Reading now) {
        if (voter.opened()) {
            return state;
        }
        leadership.originSeen(open.getOrigin());
        if (open.getSession() != 0) {
            voter.session = open.getSession();
            leadership.sessions.joined(voter.walId, open.getSession());
            voter.grant(leadership.rules.leaseStart(sent.at(), now));
        }
        return state.onOpened(voter, Answer.of(voter.walId, open), now);
    }

    private LeaderState onError(
            LeaderState state, VoterProgress voter, Sent sent, WalError error, Clock.Reading now) {
        if (sent.kind() == Sent.Kind.READ) {
            lost(sent);
        }
        long nanos = now.monotonicNanos();
        switch (error.getCode()) {
            case STALE_TERM, NOT_OWNER -> {
                return onDeposed(state, voter, sent, error, now);
            }
            case UNKNOWN_REGION, RETIRED -> {
                boolean stranger = !leadership.voters.replicas().contains(voter);
                boolean refused = sent.kind() == Sent.Kind.CREATE;
                if (stranger || refused) {
                    voter.stall(nanos, leadership.options.failedRetryMs());
                } else if (!voter.opened()) {
                    leadership.create(voter, now);
                } else if (leadership.voters.isMember(voter)) {
                    // It had the region: whatever it acknowledged is gone.
                    leadership.distrust(voter);
                } else {
                    // It was left out before it was added again, and has forgotten the region
                    // since.
                    leadership.forget(voter);
                }
            }
            case LEASE_HELD -> {
                long held = Math.max(1, error.getLeaseRemainingMs());
                voter.stall(nanos, Math.min(held, leadership.options.retryMs()));
            }
            case OVERLOADED -> {
                voter.rewind();
                voter.stall(nanos, leadership.options.retryMs());
            }
            case SESSION_LOST,
                    DISK_FULL,
                    INVALID,
                    STORAGE_FAILED,
                    WAL_ERROR_CODE_UNSPECIFIED,
                    UNRECOGNIZED -> {
                voter.rewind();
                voter.stall(nanos, leadership.options.failedRetryMs());
            }
        }
        return state;
    }

    /** The voter says that the term is not, or not any more, this leader's. */
    private LeaderState onDeposed(
            LeaderState state, VoterProgress voter, Sent sent, WalError error, Clock.Reading now) {
        if (sent.kind() == Sent.Kind.RELEASE) {
            return state.onReleased(voter, now);
        }
        if (error.getTerm() < leadership.term) {
            leadership.distrust(voter);
            return state;
        }
        String why =
                error.getTerm() > leadership.term
                        ? "term " + error.getTerm() + " is in force"
                        : error.getMessage();
        return new Ended(leadership, LeaderPhase.FENCED, why);
    }
}
