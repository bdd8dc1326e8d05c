package io.tidekv.common.history;

import org.jspecify.annotations.Nullable;

/**
 * An operation on one register as its client saw it: it reads, or writes, or writes if it reads
 * what it expects. Every value is written at most once; null is a register without a value.
 *
 * @param reads whether {@code seen} must be the value when it takes effect
 * @param writes whether it leaves {@code written}
 * @param began when the client asked, on a clock that all clients share
 * @param ended when it was answered; {@link #NEVER} if it may take effect at any time or not at all
 */
public record RegisterOp(
        String key,
        boolean reads,
        @Nullable String seen,
        boolean writes,
        @Nullable String written,
        long began,
        long ended) {
    /** After everything. */
    public static final long NEVER = Long.MAX_VALUE;

    public static RegisterOp read(String key, @Nullable String seen, long began, long ended) {
        return new RegisterOp(key, true, seen, false, null, began, ended);
    }

    public static RegisterOp write(String key, String written, long began, long ended) {
        return new RegisterOp(key, false, null, true, written, began, ended);
    }

    /** A compare-and-swap that succeeded, or may have; one that saw another value is a read. */
    public static RegisterOp swap(
            String key, @Nullable String expected, String written, long began, long ended) {
        return new RegisterOp(key, true, expected, true, written, began, ended);
    }

    boolean isSure() {
        return ended != NEVER;
    }

    @Override
    public String toString() {
        return (reads ? "saw " + seen : "")
                + (reads && writes ? " and " : "")
                + (writes ? "wrote " + written : "")
                + " in ["
                + began
                + ", "
                + (isSure() ? ended : "?")
                + "]";
    }
}
