package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.MoveRegionResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl region move}. */
@Command(
        name = "move",
        description = "Move a region to another compute node; returns when that one serves it.")
final class RegionMoveCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID")
    private long id;

    @Option(names = "--to", required = true, paramLabel = "STORE", description = "Id of the store.")
    private long to;

    @Mixin private OrderTimeout timeout = new OrderTimeout();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RegionMoveCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        long millis = timeout.millis();
        MoveRegionRequest request =
                MoveRegionRequest.newBuilder()
                        .setRegionId(id)
                        .setTargetStoreId(to)
                        .setTimeoutMs(millis)
                        .build();
        MoveRegionResponse done = options.order(millis, cluster -> cluster.moveRegion(request));
        if (options.json()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", id);
            json.put("owner", to);
            json.put("gap_ms", done.getGapMs());
            console.line(Json.line(json));
        } else {
            console.line(
                    "region " + id + " is on store " + to + "; gap " + done.getGapMs() + " ms");
        }
        return 0;
    }
}
