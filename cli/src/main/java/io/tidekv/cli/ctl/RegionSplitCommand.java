package io.tidekv.cli.ctl;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.SplitRegionRequest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl region split}. */
@Command(name = "split", description = "Split a region; returns when all parts are served.")
final class RegionSplitCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID")
    private long id;

    @Option(
            names = "--key",
            paramLabel = "HEX",
            description = {
                "Where to split, as region bounds are written: raw keys as they are,",
                "transactional keys memory-comparable. May be repeated; without one: the middle."
            })
    private List<String> keys = new ArrayList<>();

    @Mixin private OrderTimeout timeout = new OrderTimeout();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RegionSplitCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        long millis = timeout.millis();
        SplitRegionRequest.Builder request =
                SplitRegionRequest.newBuilder().setRegionId(id).setTimeoutMs(millis);
        keys.forEach(key -> request.addKeys(hex(key)));
        List<Long> parts =
                options.order(millis, cluster -> cluster.splitRegion(request.build()))
                        .getRegionIdsList();
        console.line(
                options.json()
                        ? Json.line(Map.of("regions", parts))
                        : "regions "
                                + parts.stream()
                                        .map(Object::toString)
                                        .collect(Collectors.joining(" ")));
        return 0;
    }

    private static ByteString hex(String key) {
        try {
            return ByteString.copyFrom(HexFormat.of().parseHex(key));
        } catch (IllegalArgumentException e) {
            throw new CliException("\"" + key + "\" is not hex: use pairs of 0-9 and a-f", e);
        }
    }
}
