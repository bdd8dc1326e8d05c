package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.cli.Console;
import io.tidekv.cli.Tidekv;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Runs {@code tidekv} commands within this process, which saves the start of a Java. */
public final class Command {
    private Command() {}

    /** How a command ended, and what it printed on each stream. */
    record Result(int code, String output, String errors) {}

    /** Returns what the command has printed; fails unless it went well. */
    public static String expect(String... words) {
        Result result = run(words);
        assertThat(result.code()).as("%s: %s", String.join(" ", words), result.errors()).isZero();
        return result.output();
    }

    static Result run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console =
                new Console(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        int code = Tidekv.run(console, words);
        return new Result(
                code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
