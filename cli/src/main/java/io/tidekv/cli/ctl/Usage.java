package io.tidekv.cli.ctl;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** What a command answers that needs a subcommand. */
final class Usage {
    private Usage() {}

    static void show(@Nullable CommandSpec spec) {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }
}
