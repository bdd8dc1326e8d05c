package io.tidekv.compute.region.log;

/** An entry was not taken: it has no effect, now or later. Has no stack trace: an outcome. */
public final class AppendRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What the writer can do about it. */
    public enum Reason {
        /** Not in {@link RegionLog.Stage#LEADING}: find the new owner. */
        NOT_LEADING,
        /** Too much is not yet committed and read: repeat later. */
        FULL,
        /** The log would never take it: split it. */
        TOO_LARGE,
        /** The kind is the log's own. */
        NOT_ALLOWED
    }

    private final Reason reason;

    public AppendRefused(Reason reason, String message) {
        super(message, null, false, false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
