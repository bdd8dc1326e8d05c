package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.RegionInfo;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl region list}. */
@Command(name = "list", description = "List the regions in key order; keys are in hex.")
final class RegionListCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RegionListCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        List<RegionInfo> regions = Regions.all(options);
        console.line(
                options.json()
                        ? Json.line(Map.of("regions", regions.stream().map(Regions::json).toList()))
                        : Regions.table(regions));
        return 0;
    }
}
