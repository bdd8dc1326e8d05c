package io.tidekv.common;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Checks that stay on in production. A check costs one comparison when it holds. */
public final class Invariants {
    private Invariants() {}

    /** Throws {@link InvariantViolation} with {@code message} unless {@code holds}. */
    public static void check(boolean holds, String message) {
        if (!holds) {
            throw new InvariantViolation(message);
        }
    }

    /** As {@link #check(boolean, String)}; the message is only formatted on violation. */
    @FormatMethod
    public static void check(
            boolean holds, @FormatString String format, @Nullable Object... values) {
        if (!holds) {
            throw new InvariantViolation(String.format(Locale.ROOT, format, values));
        }
    }

    /** Returns {@code value}, which must not be null here. */
    public static <T> T present(@Nullable T value, String what) {
        if (value == null) {
            throw new InvariantViolation("missing: " + what);
        }
        return value;
    }
}
