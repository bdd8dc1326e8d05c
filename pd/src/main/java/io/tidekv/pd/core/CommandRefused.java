package io.tidekv.pd.core;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.tidekv.proto.pdstate.Failure;
import io.tidekv.proto.pdstate.FailureKind;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A command does not fit the state. Thrown before anything has been changed. */
final class CommandRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final FailureKind kind;

    @FormatMethod
    CommandRefused(FailureKind kind, @FormatString String format, @Nullable Object... values) {
        super(String.format(Locale.ROOT, format, values), null, false, false);
        this.kind = kind;
    }

    Failure failure() {
        return Failure.newBuilder().setKind(kind).setMessage(String.valueOf(getMessage())).build();
    }
}
