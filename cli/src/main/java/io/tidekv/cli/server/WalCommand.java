package io.tidekv.cli.server;

import io.tidekv.cli.Console;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv wal}. */
@Command(name = "wal", description = "Run a WAL node: a voter that keeps the log of the regions.")
public final class WalCommand extends RoleCommand {
    @Option(names = "--addr", paramLabel = "HOST:PORT", description = "Where to listen.")
    private @Nullable String addr;

    @Option(
            names = "--advertise-addr",
            paramLabel = "HOST:PORT",
            description = "What other processes are told.")
    private @Nullable String advertiseAddr;

    @Option(names = "--status-addr", paramLabel = "HOST:PORT", description = "Status over HTTP.")
    private @Nullable String statusAddr;

    @Option(
            names = {"--pd-endpoints", "--pd"},
            paramLabel = "HOST:PORT,…",
            description = "Addresses of PD.")
    private @Nullable String pdEndpoints;

    @Option(names = "--data-dir", paramLabel = "DIR", description = "Folder of the log.")
    private @Nullable String dataDir;

    @Option(names = "--zone", description = "Failure domain of this node.")
    private @Nullable String zone;

    public WalCommand(Console console) {
        super(console, RoleKind.WAL);
    }

    @Override
    void flags(Flags flags) {
        flags.put("addr", addr);
        flags.put("advertise-addr", advertiseAddr);
        flags.put("status-addr", statusAddr);
        flags.put("pd-endpoints", pdEndpoints);
        flags.put("data-dir", dataDir);
        flags.put("zone", zone);
    }
}
