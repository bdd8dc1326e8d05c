package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.SetStoreModeRequest;
import io.tidekv.proto.cluster.StoreInfo;
import java.util.Optional;
import picocli.CommandLine.Command;

/** The orders of {@code tidekv ctl store}: each returns when its effect is there. */
abstract class StoreOrderCommand extends OrderCommand<StoreInfo> {
    StoreOrderCommand(Console console, NodeMode mode) {
        super(console, "store", mode);
    }

    @Override
    void give(CtlOptions options, long id) {
        SetStoreModeRequest order =
                SetStoreModeRequest.newBuilder().setStoreId(id).setMode(mode()).build();
        options.ask(cluster -> cluster.setStoreMode(order));
    }

    @Override
    Optional<StoreInfo> find(CtlOptions options, long id) {
        return options
                .ask(cluster -> cluster.listStores(ListStoresRequest.getDefaultInstance()))
                .getStoresList()
                .stream()
                .filter(s -> s.getOwner().getStoreId() == id)
                .findFirst();
    }

    @Override
    NodeMode modeOf(StoreInfo store) {
        return store.getMode();
    }

    @Override
    long regionsOf(StoreInfo store) {
        return store.getOwnedRegions();
    }

    @Override
    String progress(StoreInfo store) {
        return store.getOwnedRegions() + " regions, " + store.getMoves() + " moves under way";
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

        @Override
        String effect(StoreInfo store) {
            return "serves no region any more and may be stopped";
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

        @Override
        String effect(StoreInfo store) {
            return "is in service";
        }
    }
}
