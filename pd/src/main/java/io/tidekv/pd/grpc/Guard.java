package io.tidekv.pd.grpc;

import io.grpc.Status;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.pdpb.Error;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.ResponseHeader;

/** Who is answered at all: callers of this cluster, by the node that leads. */
final class Guard {
    private final StateLog log;

    Guard(StateLog log) {
        this.log = log;
    }

    /** Throws {@link NotLeaderException} unless this node leads. */
    void leading() {
        Leadership leadership = log.leadership();
        if (!leadership.leading()) {
            throw new NotLeaderException(leadership.leader());
        }
    }

    /** As {@link #leading}; moreover the header must carry this cluster's id. */
    void check(RequestHeader header) {
        check(header.getClusterId());
    }

    void check(long clusterId) {
        leading();
        long own = log.read(PdState::clusterId);
        if (own == 0) {
            throw new NotLeaderException("");
        }
        if (clusterId != own) {
            throw Status.FAILED_PRECONDITION
                    .withDescription(
                            "mismatch cluster id, need "
                                    + Long.toUnsignedString(own)
                                    + " but got "
                                    + Long.toUnsignedString(clusterId))
                    .asRuntimeException();
        }
    }

    /** For calls in which 0 means that the caller does not know the id yet. */
    void checkIfKnown(long clusterId) {
        leading();
        long own = log.read(PdState::clusterId);
        if (clusterId != 0 && clusterId != own) {
            throw Status.FAILED_PRECONDITION
                    .withDescription(
                            "mismatch cluster id, need "
                                    + Long.toUnsignedString(own)
                                    + " but got "
                                    + Long.toUnsignedString(clusterId)
                                    + ": this process belongs to another cluster")
                    .asRuntimeException();
        }
    }

    ResponseHeader header() {
        return ResponseHeader.newBuilder().setClusterId(log.read(PdState::clusterId)).build();
    }

    /** A header for a call that went through but could not be served. */
    ResponseHeader error(ErrorType type, String message) {
        return header().toBuilder()
                .setError(Error.newBuilder().setType(type).setMessage(message))
                .build();
    }

    ResponseHeader notBootstrapped() {
        return error(ErrorType.NOT_BOOTSTRAPPED, "cluster is not bootstrapped");
    }
}
