package io.tidekv.compute.region.core;

/** A proposal was not taken: it has no effect, now or later. Has no stack trace: an outcome. */
public final class ProposalRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What the proposer can do about it. */
    public enum Reason {
        /** Not in {@link LeaderPhase#LEADING}: find the new owner. */
        NOT_LEADING,
        /** Too much is not yet committed and taken: repeat later. */
        WINDOW_FULL,
        /** No window would ever hold it: split it. */
        TOO_LARGE,
        /** The kind is not for proposers. */
        NOT_ALLOWED
    }

    private final Reason reason;

    ProposalRefused(Reason reason, String message) {
        super(message, null, false, false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
