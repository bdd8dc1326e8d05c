package io.tidekv.cli.ctl;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl}. */
@Command(
        name = "ctl",
        description = "Look at a cluster and give it orders.",
        subcommands = {
            StatusCommand.class,
            StoreCommand.class,
            RegionCommand.class,
            WalNodesCommand.class,
            RecordCommand.class,
            CostCommand.class,
            GcCommand.class,
            BackupCommand.class,
            BranchCommand.class,
            RecoverCommand.class,
        })
public final class CtlCommand implements Runnable {
    @Mixin private CtlOptions options = new CtlOptions();

    @Spec private @Nullable CommandSpec spec;

    CtlOptions options() {
        return options;
    }

    @Override
    public void run() {
        Usage.show(spec);
    }
}
