package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.SetStoreModeRequest;
import io.tidekv.proto.cluster.StoreInfo;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The orders of {@code tidekv ctl store}: each returns when its effect is there. */
abstract class StoreOrderCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID")
    private long id;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Stop waiting after this time (default ${DEFAULT-VALUE}).")
    private long timeout = 600;

    @Spec private @Nullable CommandSpec spec;

    private final Console console;
    private final NodeMode mode;

    StoreOrderCommand(Console console, NodeMode mode) {
        this.console = console;
        this.mode = mode;
    }

    abstract boolean done(StoreInfo store);

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        SetStoreModeRequest order =
                SetStoreModeRequest.newBuilder().setStoreId(id).setMode(mode).build();
        options.ask(cluster -> cluster.setStoreMode(order));
        new Patience(console, timeout).await("store " + id, () -> look(options));
        if (options.json()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", id);
            json.put("mode", WalNodesCommand.mode(mode));
            json.put("regions", store(options).getOwnedRegions());
            console.line(Json.line(json));
        } else {
            console.line(
                    mode == NodeMode.DRAINING
                            ? "store " + id + " serves no region any more and may be stopped"
                            : "store " + id + " is in service");
        }
        return 0;
    }

    private Patience.Stand look(CtlOptions options) {
        StoreInfo store = store(options);
        if (store.getMode() != mode) {
            throw new CliException("somebody has given another order for store " + id);
        }
        String text =
                "store "
                        + id
                        + ": "
                        + store.getOwnedRegions()
                        + " regions, "
                        + store.getMoves()
                        + " moves under way";
        return new Patience.Stand(done(store), text);
    }

    private StoreInfo store(CtlOptions options) {
        return options
                .ask(cluster -> cluster.listStores(ListStoresRequest.getDefaultInstance()))
                .getStoresList()
                .stream()
                .filter(s -> s.getOwner().getStoreId() == id)
                .findFirst()
                .orElseThrow(() -> new CliException("there is no store " + id));
    }

    @Command(
            name = "drain",
            description =
                    "Move all regions of a compute node to others; returns when it serves none.")
    static final class Drain extends StoreOrderCommand {
        Drain(Console console) {
            super(console, NodeMode.DRAINING);
        }

        @Override
        boolean done(StoreInfo store) {
            return store.getOwnedRegions() == 0 && store.getMoves() == 0;
        }
    }

    @Command(name = "add", description = "Take back a drain: the compute node gets regions again.")
    static final class Add extends StoreOrderCommand {
        Add(Console console) {
            super(console, NodeMode.IN_SERVICE);
        }

        @Override
        boolean done(StoreInfo store) {
            return true;
        }
    }
}
