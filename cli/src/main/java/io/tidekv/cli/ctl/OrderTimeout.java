package io.tidekv.cli.ctl;

import picocli.CommandLine.Option;

/** How long an order for a region may take. */
final class OrderTimeout {
    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Give up after this time (default ${DEFAULT-VALUE}).")
    private long seconds = 60;

    long millis() {
        return seconds * 1000;
    }
}
