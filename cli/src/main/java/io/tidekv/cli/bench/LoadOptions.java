package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.common.Randomness;
import picocli.CommandLine.Option;

/** Size and length of a closed loop, for whatever is measured. */
final class LoadOptions {
    private static final int WARM_UP_CLIENTS = 64;

    @Option(names = "--clients", description = "Clients at once (default ${DEFAULT-VALUE}).")
    private int clients = 1;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 100;

    @Option(names = "--keys", description = "Different keys (default ${DEFAULT-VALUE}).")
    private long keys = 10_000;

    @Option(names = "--duration", description = "Seconds (default ${DEFAULT-VALUE}).")
    private double duration = 10;

    @Option(
            names = "--warm-up",
            description = {
                "Seconds before, with at least 64 clients, and as many again with fewer if fewer are",
                "measured, so that a single one meets compiled code (default ${DEFAULT-VALUE})."
            })
    private double warmUp = 5;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    /** Throws a {@link CliException} that names the options if one of them makes no sense. */
    void check() {
        if (clients < 1 || keys < 1 || valueSize < 1 || duration <= 0 || warmUp < 0) {
            throw new CliException(
                    "--clients, --keys, --value-size and --duration must be above 0,"
                            + " --warm-up not below");
        }
    }

    int clients() {
        return clients;
    }

    int valueSize() {
        return valueSize;
    }

    long keys() {
        return keys;
    }

    double seconds() {
        return duration;
    }

    double warmUpSeconds() {
        return warmUp;
    }

    /** Clients of the warm-up. */
    int warmUpClients() {
        return Math.max(WARM_UP_CLIENTS, clients);
    }

    boolean json() {
        return json;
    }

    /** The same bytes in every run with the same size. */
    ByteString value() {
        return Workload.value(valueSize, Randomness.seeded(valueSize));
    }
}
