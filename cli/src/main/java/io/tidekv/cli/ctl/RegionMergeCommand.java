package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.MergeRegionsRequest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl region merge}. */
@Command(
        name = "merge",
        description = "Make a region part of its neighbour; returns when PD knows one region only.")
final class RegionMergeCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOURCE", description = "The region that goes.")
    private long source;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The neighbour that stays.")
    private long target;

    @Mixin private OrderTimeout timeout = new OrderTimeout();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RegionMergeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        long millis = timeout.millis();
        MergeRegionsRequest request =
                MergeRegionsRequest.newBuilder()
                        .setSourceRegionId(source)
                        .setTargetRegionId(target)
                        .setTimeoutMs(millis)
                        .build();
        options.order(millis, cluster -> cluster.mergeRegions(request));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("source", source);
        json.put("target", target);
        console.line(
                options.json()
                        ? Json.line(json)
                        : "region " + source + " is part of region " + target);
        return 0;
    }
}
