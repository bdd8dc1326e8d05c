package io.tidekv.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/**
 * Where a command writes: results to {@code out}, progress and errors to {@code err}. Whole lines
 * only, without colours or cursor movement, so that a file reads as a terminal does.
 */
public final class Console {
    private final PrintWriter out;
    private final PrintWriter err;

    public Console(PrintStream out, PrintStream err) {
        this.out = new PrintWriter(out, false, StandardCharsets.UTF_8);
        this.err = new PrintWriter(err, false, StandardCharsets.UTF_8);
    }

    /** The process's own streams. */
    public static Console system() {
        return new Console(System.out, System.err);
    }

    /** A line of the result. */
    public void line(String text) {
        out.println(text);
        out.flush();
    }

    /** A line for whoever watches: progress, remarks. */
    public void note(String text) {
        err.println(text);
        err.flush();
    }

    public PrintWriter out() {
        return out;
    }

    public PrintWriter err() {
        return err;
    }
}
