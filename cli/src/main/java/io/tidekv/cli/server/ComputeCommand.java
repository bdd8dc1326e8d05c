package io.tidekv.cli.server;

import io.tidekv.cli.Console;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv compute}. */
@Command(name = "compute", description = "Run a compute node: it leads regions and serves clients.")
public final class ComputeCommand extends RoleCommand {
    @Option(names = "--addr", paramLabel = "HOST:PORT", description = "Where to listen.")
    private @Nullable String addr;

    @Option(
            names = "--advertise-addr",
            paramLabel = "HOST:PORT",
            description = "What clients are told.")
    private @Nullable String advertiseAddr;

    @Option(names = "--status-addr", paramLabel = "HOST:PORT", description = "Status over HTTP.")
    private @Nullable String statusAddr;

    @Option(
            names = {"--pd-endpoints", "--pd"},
            paramLabel = "HOST:PORT,…",
            description = "Addresses of PD.")
    private @Nullable String pdEndpoints;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Folder of its cache; may be deleted between two starts.")
    private @Nullable String dataDir;

    @Option(
            names = "--object-store",
            paramLabel = "URI",
            description = "file:DIR or s3://bucket/prefix?endpoint=…")
    private @Nullable String objectStore;

    public ComputeCommand(Console console) {
        super(console, RoleKind.COMPUTE);
    }

    @Override
    void flags(Flags flags) {
        flags.put("addr", addr);
        flags.put("advertise-addr", advertiseAddr);
        flags.put("status-addr", statusAddr);
        flags.put("pd.endpoints", pdEndpoints);
        flags.put("data-dir", dataDir);
        flags.put("object-store", objectStore);
    }
}
