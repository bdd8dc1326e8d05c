package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.WalNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl wal}. */
@Command(
        name = "wal",
        description =
                "WAL nodes as PD knows them, orders for them, their folders and their archive.",
        subcommands = {
            WalNodesCommand.ListNodes.class,
            WalOrderCommand.Add.class,
            WalOrderCommand.Drain.class,
            WalOrderCommand.Replace.class,
            WalFolderCommands.Check.class,
            WalFolderCommands.Dump.class,
            WalArchiveCommand.class,
        })
final class WalNodesCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    /** As the tables show it. */
    static String mode(NodeMode mode) {
        return switch (mode) {
            case IN_SERVICE -> "in service";
            case DRAINING -> "draining";
            case UNRECOGNIZED -> "unknown";
        };
    }

    @Command(name = "list", description = "List the WAL nodes.")
    static final class ListNodes implements Callable<Integer> {
        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        ListNodes(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            List<WalNode> nodes =
                    options.ask(cluster -> cluster.listWal(ListWalRequest.getDefaultInstance()))
                            .getNodesList();
            if (options.json()) {
                console.line(
                        Json.line(Map.of("wal", nodes.stream().map(ListNodes::json).toList())));
                return 0;
            }
            Table table =
                    new Table(
                            "ID",
                            "ADDRESS",
                            "STATE",
                            "MODE",
                            "REGIONS",
                            "CATCHING-UP",
                            "ZONE",
                            "UUID");
            for (WalNode node : nodes) {
                table.row(
                        node.getWalId(),
                        node.getAddress(),
                        node.getState(),
                        mode(node.getMode()),
                        node.getRegions(),
                        node.getCatchingUp(),
                        node.getZone(),
                        node.getUuid());
            }
            console.line(table.toString());
            return 0;
        }

        private static Map<String, Object> json(WalNode node) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", node.getWalId());
            json.put("address", node.getAddress());
            json.put("state", node.getState());
            json.put("mode", mode(node.getMode()));
            json.put("regions", node.getRegions());
            json.put("catching_up", node.getCatchingUp());
            json.put("changes", node.getChanges());
            json.put("problem", node.getProblem());
            json.put("zone", node.getZone());
            json.put("uuid", node.getUuid());
            return json;
        }
    }
}
