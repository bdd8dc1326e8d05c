package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.objects.backup.CutSource;
import io.tidekv.objects.backup.MomentCut;
import io.tidekv.objects.backup.PdOwners;
import io.tidekv.objects.store.StoreContext;
import java.time.Duration;
import picocli.CommandLine.Option;

/** States of all regions as of now, and how long to wait for them. */
final class MomentOption {
    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description =
                    "Give up when regions cannot publish for so long (default ${DEFAULT-VALUE}).")
    private long timeout = 60;

    CutSource cut(PdOwners owners, StoreContext context, Console console) {
        return new MomentCut(owners, context, Duration.ofSeconds(timeout), console::note);
    }
}
