package io.tidekv.sim;

import java.util.Locale;

/** The system broke one of its promises. */
final class SimFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SimFailure(String message) {
        super(message);
    }

    static void check(boolean holds, String message, Object... values) {
        if (!holds) {
            throw new SimFailure(String.format(Locale.ROOT, message, values));
        }
    }
}
