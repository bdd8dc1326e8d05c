package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.RegionInfo;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl region show}. */
@Command(name = "show", description = "Print one region.")
final class RegionShowCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID")
    private long id;

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RegionShowCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        RegionInfo region = Regions.one(options, id);
        console.line(
                options.json() ? Json.line(Regions.json(region)) : Regions.table(List.of(region)));
        if (!options.json() && !region.getError().isEmpty()) {
            console.line("error: " + region.getError());
        }
        return 0;
    }
}
