package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.NodeMode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * An order for one node: given to PD, then watched until its effect is there.
 *
 * @param <N> what PD tells of such a node
 */
abstract class OrderCommand<N> implements Callable<Integer> {
    @Parameters(paramLabel = "ID")
    private long id;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Stop waiting after this time (default ${DEFAULT-VALUE}).")
    private long timeout = 600;

    @Spec private @Nullable CommandSpec spec;

    private final Console console;
    private final String kind;
    private final NodeMode mode;

    /**
     * @param kind how such a node is called in sentences: {@code "store"}
     * @param mode the mode in which the order puts it
     */
    OrderCommand(Console console, String kind, NodeMode mode) {
        this.console = console;
        this.kind = kind;
        this.mode = mode;
    }

    final NodeMode mode() {
        return mode;
    }

    abstract void give(CtlOptions options, long id);

    abstract Optional<N> find(CtlOptions options, long id);

    abstract NodeMode modeOf(N node);

    abstract long regionsOf(N node);

    abstract boolean done(N node);

    /** What is still to be done, for who waits: {@code "3 regions, 1 moves under way"}. */
    abstract String progress(N node);

    /** What has been reached: {@code "is in service"}. */
    abstract String effect(N node);

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        give(options, id);
        new Patience(console, timeout).await(name(), () -> look(options));
        N node = node(options);
        if (options.json()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", id);
            json.put("mode", WalNodesCommand.mode(modeOf(node)));
            json.put("regions", regionsOf(node));
            console.line(Json.line(json));
        } else {
            console.line(name() + " " + effect(node));
        }
        return 0;
    }

    private Patience.Stand look(CtlOptions options) {
        N node = node(options);
        if (modeOf(node) != mode) {
            throw new CliException("somebody has given another order for " + name());
        }
        return new Patience.Stand(done(node), name() + ": " + progress(node));
    }

    private N node(CtlOptions options) {
        return find(options, id).orElseThrow(() -> new CliException("there is no " + name()));
    }

    private String name() {
        return kind + " " + id;
    }
}
