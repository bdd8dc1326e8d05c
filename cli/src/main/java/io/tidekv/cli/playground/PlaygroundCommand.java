package io.tidekv.cli.playground;

import io.tidekv.cli.Console;
import io.tidekv.cli.server.OrderlyEnd;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tidekv playground}. */
@Command(
        name = "playground",
        description = {
            "Run a whole cluster on this machine: PD, WAL nodes, compute nodes and an object store.",
            "It listens without TLS or passwords, on the loopback address unless told otherwise."
        })
public final class PlaygroundCommand implements Callable<Integer> {
    @Mixin private PlaygroundOptions options = new PlaygroundOptions();

    private final Console console;

    public PlaygroundCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        OrderlyEnd end = OrderlyEnd.install();
        try {
            new Playground(console, options).run(end);
            return 0;
        } finally {
            end.done();
        }
    }
}
