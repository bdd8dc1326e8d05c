package io.tidekv.cli.server;

import io.tidekv.cli.Console;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv pd}. */
@Command(name = "pd", description = "Run a PD node: metadata, timestamps, terms.")
public final class PdCommand extends RoleCommand {
    @Option(
            names = "--addr",
            paramLabel = "HOST:PORT",
            description = "Where to listen for clients: gRPC, etcd and HTTP on one port.")
    private @Nullable String addr;

    @Option(
            names = "--advertise-addr",
            paramLabel = "HOST:PORT",
            description = "What clients are told.")
    private @Nullable String advertiseAddr;

    @Option(
            names = "--peer-addr",
            paramLabel = "HOST:PORT",
            description = "Where to listen for the other PD nodes.")
    private @Nullable String peerAddr;

    @Option(names = "--name", description = "Name of this node among the PD nodes.")
    private @Nullable String name;

    @Option(
            names = "--initial-cluster",
            paramLabel = "NAME=URL,…",
            description = "All PD nodes by name with their peer addresses.")
    private @Nullable String initialCluster;

    @Option(names = "--data-dir", paramLabel = "DIR", description = "Folder of its data.")
    private @Nullable String dataDir;

    @Option(
            names = "--restore-plan",
            paramLabel = "FILE",
            description = "What the cluster begins with; see `tidekv ctl recover`.")
    private @Nullable String restorePlan;

    public PdCommand(Console console) {
        super(console, RoleKind.PD);
    }

    @Override
    void flags(Flags flags) {
        flags.put("client-urls", url(addr));
        flags.put("advertise-client-urls", url(advertiseAddr));
        flags.put("peer-urls", url(peerAddr));
        flags.put("name", name);
        flags.put("initial-cluster", initialCluster);
        flags.put("data-dir", dataDir);
        flags.put("restore-plan", restorePlan);
    }

    private static @Nullable String url(@Nullable String address) {
        return address == null || address.contains("://") ? address : "http://" + address;
    }
}
