package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.SetWalModeRequest;
import io.tidekv.proto.cluster.WalNode;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The orders of {@code tidekv ctl wal}: each returns when its effect is there. */
abstract class WalOrderCommand extends OrderCommand<WalNode> {
    WalOrderCommand(Console console, NodeMode mode) {
        super(console, "WAL node", mode);
    }

    /** The WAL node that takes the place of the one ordered about; 0 = any. */
    long replacement() {
        return 0;
    }

    @Override
    void give(CtlOptions options, long id) {
        SetWalModeRequest order =
                SetWalModeRequest.newBuilder()
                        .setWalId(id)
                        .setMode(mode())
                        .setReplacement(replacement())
                        .build();
        options.ask(cluster -> cluster.setWalMode(order));
    }

    @Override
    Optional<WalNode> find(CtlOptions options, long id) {
        return options
                .ask(cluster -> cluster.listWal(ListWalRequest.getDefaultInstance()))
                .getNodesList()
                .stream()
                .filter(n -> n.getWalId() == id)
                .findFirst();
    }

    @Override
    NodeMode modeOf(WalNode node) {
        return node.getMode();
    }

    @Override
    long regionsOf(WalNode node) {
        return node.getRegions();
    }

    @Override
    String progress(WalNode node) {
        return "voter of "
                + node.getRegions()
                + " regions, "
                + node.getChanges()
                + " changes under way"
                + (node.getProblem().isEmpty() ? "" : "; " + node.getProblem());
    }

    @Command(
            name = "add",
            description =
                    "Put a WAL node into service; returns when it is a voter of its share of the"
                            + " regions.")
    static final class Add extends WalOrderCommand {
        Add(Console console) {
            super(console, NodeMode.IN_SERVICE);
        }

        @Override
        boolean done(WalNode node) {
            return node.getState().equals("Up") && node.getChanges() == 0;
        }

        @Override
        String effect(WalNode node) {
            return "has its share: " + node.getRegions() + " regions";
        }
    }

    @Command(
            name = "drain",
            description = "Give a WAL node's regions to others; returns when it holds none.")
    static class Drain extends WalOrderCommand {
        Drain(Console console) {
            super(console, NodeMode.DRAINING);
        }

        @Override
        boolean done(WalNode node) {
            return node.getRegions() == 0 && node.getChanges() == 0;
        }

        @Override
        String effect(WalNode node) {
            return "holds no region any more and may be stopped";
        }
    }

    @Command(
            name = "replace",
            description =
                    "Give a WAL node's regions to another one, wherever that is no voter yet; returns"
                            + " when it holds none.")
    static final class Replace extends Drain {
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
        long replacement() {
            return with;
        }
    }
}
