package io.tidekv.wal.core;

import io.tidekv.proto.wal.WalError;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalResponse;

/** Makes responses; seq, region and pending term are filled in by {@link VoterNode}. */
final class Replies {
    private Replies() {}

    static WalResponse.Builder error(WalErrorCode code, String message) {
        return WalResponse.newBuilder()
                .setError(WalError.newBuilder().setCode(code).setMessage(message));
    }

    static WalResponse.Builder invalid(String message) {
        return error(WalErrorCode.INVALID, message);
    }

    static WalResponse.Builder staleTerm(long seen, String message) {
        return WalResponse.newBuilder()
                .setError(
                        WalError.newBuilder()
                                .setCode(WalErrorCode.STALE_TERM)
                                .setTerm(seen)
                                .setMessage(message));
    }

    static WalResponse.Builder notOwner(long term, String message) {
        return WalResponse.newBuilder()
                .setError(
                        WalError.newBuilder()
                                .setCode(WalErrorCode.NOT_OWNER)
                                .setTerm(term)
                                .setMessage(message));
    }

    static WalResponse.Builder leaseHeld(long remainingNanos) {
        return WalResponse.newBuilder()
                .setError(
                        WalError.newBuilder()
                                .setCode(WalErrorCode.LEASE_HELD)
                                .setLeaseRemainingMs(Leases.msUp(remainingNanos))
                                .setMessage("another owner's lease has not run out"));
    }
}
