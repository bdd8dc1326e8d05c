package io.tidekv.pd.schedule;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An order of an administrator or a client was refused or has not been reached. */
public final class OrderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** How the caller may react. */
    public enum Kind {
        NOT_FOUND,
        INVALID,
        /** Not now: another order is under way, or the region is not served at present. */
        BUSY,
        /** The region is between two owners. */
        UNSERVED,
        TIMEOUT,
        CANCELLED
    }

    private final Kind kind;

    @FormatMethod
    OrderException(Kind kind, @FormatString String format, @Nullable Object... values) {
        super(String.format(Locale.ROOT, format, values), null, false, false);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
