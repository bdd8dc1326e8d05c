package io.tidekv.cli.playground;

import io.tidekv.cli.Console;
import io.tidekv.common.time.Clock;
import java.util.Locale;

/** Lines that say what a start is doing and since when. Thread-safe. */
final class Progress {
    private final Console console;
    private final Clock clock;
    private final long startNanos;

    Progress(Console console, Clock clock) {
        this.console = console;
        this.clock = clock;
        this.startNanos = clock.monotonicNanos();
    }

    synchronized void line(String text) {
        console.note(String.format(Locale.ROOT, "[%4.1f s] %s", seconds(), text));
    }

    double seconds() {
        return (clock.monotonicNanos() - startNanos) / 1e9;
    }
}
