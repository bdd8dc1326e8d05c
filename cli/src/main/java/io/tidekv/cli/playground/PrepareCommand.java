package io.tidekv.cli.playground;

import io.tidekv.cli.Console;
import io.tidekv.cli.server.OrderlyEnd;
import io.tidekv.common.Randomness;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * What the script runs once after a build: starts a small playground, uses it and ends it, so that
 * the JVM can record the classes and native libraries are unpacked.
 */
@Command(name = "prepare", hidden = true, description = "Make later starts fast.")
public final class PrepareCommand implements Callable<Integer> {
    private static final int OFFSET_MIN = 10_000;
    private static final int OFFSETS = 30_000;

    private final Console console;

    public PrepareCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        PlaygroundOptions options = new PlaygroundOptions();
        options.portOffset = OFFSET_MIN + Randomness.real().nextInt(OFFSETS);
        OrderlyEnd end = OrderlyEnd.install();
        try {
            new Playground(console, options).rehearse(end);
            return 0;
        } finally {
            end.done();
        }
    }
}
