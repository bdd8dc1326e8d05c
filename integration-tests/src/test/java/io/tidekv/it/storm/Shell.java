package io.tidekv.it.storm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Commands of the operating system. */
final class Shell {
    private Shell() {}

    /** Runs one to its end; fails with what it said unless it ended with 0. */
    static String run(String... words) {
        try {
            Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
            byte[] said = process.getInputStream().readAllBytes();
            String text = new String(said, StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", List.of(words)) + ": " + text);
            }
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** The same; a failure does not matter. */
    static void tryTo(String... words) {
        try {
            run(words);
        } catch (IllegalStateException | UncheckedIOException e) {
            System.out.println("not done: " + e.getMessage());
        }
    }
}
