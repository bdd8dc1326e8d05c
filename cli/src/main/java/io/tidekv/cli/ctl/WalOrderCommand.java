package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.SetWalModeRequest;
import io.tidekv.proto.cluster.WalNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The orders of {@code tidekv ctl wal}: each returns when its effect is there. */
abstract class WalOrderCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID")
    private long id;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Stop waiting after this time (default ${DEFAULT-VALUE}).")
    private long timeout = 600;

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    WalOrderCommand(Console console) {
        this.console = console;
    }

    abstract SetWalModeRequest.Builder order();

    abstract boolean done(WalNode node);

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        options.ask(cluster -> cluster.setWalMode(order().setWalId(id).build()));
        new Patience(console, timeout).await("WAL node " + id, () -> look(options));
        WalNode node = node(options);
        if (options.json()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", id);
            json.put("mode", WalNodesCommand.mode(node.getMode()));
            json.put("regions", node.getRegions());
            console.line(Json.line(json));
        } else {
            console.line(
                    node.getMode() == NodeMode.DRAINING
                            ? "WAL node " + id + " holds no region any more and may be stopped"
                            : "WAL node "
                                    + id
                                    + " has its share: "
                                    + node.getRegions()
                                    + " regions");
        }
        return 0;
    }

    private Patience.Stand look(CtlOptions options) {
        WalNode node = node(options);
        if (node.getMode() != order().getMode()) {
            throw new CliException("somebody has given another order for WAL node " + id);
        }
        String text =
                "WAL node "
                        + id
                        + ": voter of "
                        + node.getRegions()
                        + " regions, "
                        + node.getChanges()
                        + " changes under way"
                        + (node.getProblem().isEmpty() ? "" : "; " + node.getProblem());
        return new Patience.Stand(done(node), text);
    }

    private WalNode node(CtlOptions options) {
        return options
                .ask(cluster -> cluster.listWal(ListWalRequest.getDefaultInstance()))
                .getNodesList()
                .stream()
                .filter(n -> n.getWalId() == id)
                .findFirst()
                .orElseThrow(() -> new CliException("there is no WAL node " + id));
    }

    @Command(
            name = "add",
            description =
                    "Put a WAL node into service; returns when it is a voter of its share of the"
                            + " regions.")
    static final class Add extends WalOrderCommand {
        Add(Console console) {
            super(console);
        }

        @Override
        SetWalModeRequest.Builder order() {
            return SetWalModeRequest.newBuilder().setMode(NodeMode.IN_SERVICE);
        }

        @Override
        boolean done(WalNode node) {
            return node.getState().equals("Up") && node.getChanges() == 0;
        }
    }

    @Command(
            name = "drain",
            description = "Give a WAL node's regions to others; returns when it holds none.")
    static final class Drain extends WalOrderCommand {
        Drain(Console console) {
            super(console);
        }

        @Override
        SetWalModeRequest.Builder order() {
            return SetWalModeRequest.newBuilder().setMode(NodeMode.DRAINING);
        }

        @Override
        boolean done(WalNode node) {
            return node.getRegions() == 0 && node.getChanges() == 0;
        }
    }

    @Command(
            name = "replace",
            description =
                    "Give a WAL node's regions to another one, wherever that is no voter yet; returns"
                            + " when it holds none.")
    static final class Replace extends WalOrderCommand {
        @Option(
                names = "--with",
                required = true,
                paramLabel = "ID",
                description = "The node that takes its place.")
        private long with;

        Replace(Console console) {
            super(console);
        }

        @Override
        SetWalModeRequest.Builder order() {
            return SetWalModeRequest.newBuilder().setMode(NodeMode.DRAINING).setReplacement(with);
        }

        @Override
        boolean done(WalNode node) {
            return node.getRegions() == 0 && node.getChanges() == 0;
        }
    }
}
