package io.tidekv.compute.pd;

/** A call to PD has failed. The message says what to do where something can be done. */
public final class PdException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean refused;

    private PdException(boolean refused, String message) {
        super(message);
        this.refused = refused;
    }

    /** PD has answered and said no: the same call will fail again. */
    public static PdException refused(String message) {
        return new PdException(true, message);
    }

    /** PD could not be reached, or has no leader: a later call may succeed. */
    public static PdException unavailable(String message) {
        return new PdException(false, message);
    }

    /** Whether repeating is pointless. */
    public boolean isRefused() {
        return refused;
    }
}
