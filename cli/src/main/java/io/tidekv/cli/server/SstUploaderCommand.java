package io.tidekv.cli.server;

import io.tidekv.cli.Console;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv sst-uploader}. */
@Command(
        name = "sst-uploader",
        description =
                "Run the worker beside the object store: it checks that everything is there, and"
                        + " with --pd it removes what nobody needs any more, and compacts for the"
                        + " stores.",
        subcommands = ScrubCommand.class)
public final class SstUploaderCommand extends RoleCommand {
    @Option(names = "--status-addr", paramLabel = "HOST:PORT", description = "Status over HTTP.")
    private @Nullable String statusAddr;

    @Option(
            names = "--object-store",
            paramLabel = "URI",
            description = "file:DIR or s3://bucket/prefix?endpoint=…")
    private @Nullable String objectStore;

    @Option(
            names = "--pd",
            paramLabel = "HOST:PORT",
            description = "Address of PD; without it nothing is collected or compacted.")
    private @Nullable String pd;

    public SstUploaderCommand(Console console) {
        super(console, RoleKind.SST_UPLOADER);
    }

    @Override
    void flags(Flags flags) {
        flags.put("status-addr", statusAddr);
        flags.put("object-store", objectStore);
        flags.put("gc.pd", pd);
    }
}
