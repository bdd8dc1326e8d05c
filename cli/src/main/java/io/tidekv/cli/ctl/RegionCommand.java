package io.tidekv.cli.ctl;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl region}. */
@Command(
        name = "region",
        description = "Regions: where they are, and orders for them.",
        subcommands = {
            RegionListCommand.class,
            RegionShowCommand.class,
            RegionMoveCommand.class,
            RegionSplitCommand.class,
            RegionMergeCommand.class,
        })
final class RegionCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }
}
