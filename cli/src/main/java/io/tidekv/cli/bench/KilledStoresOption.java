package io.tidekv.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Whose stores a benchmark kills. */
final class KilledStoresOption {
    @Option(
            names = "--ready-file",
            paramLabel = "FILE",
            required = true,
            description = "What the playground has written with the same option.")
    private Path readyFile = Path.of("ready.json");

    /** The stores, which must be closed. */
    KilledStores open() throws IOException {
        return KilledStores.of(readyFile);
    }
}
