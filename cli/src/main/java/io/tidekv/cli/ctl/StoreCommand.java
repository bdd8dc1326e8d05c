package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.StoreInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl store}. */
@Command(
        name = "store",
        description = "Compute nodes as PD knows them, and orders for them.",
        subcommands = {
            StoreCommand.ListStores.class,
            StoreOrderCommand.Drain.class,
            StoreOrderCommand.Add.class,
        })
final class StoreCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    @Command(name = "list", description = "List the compute nodes.")
    static final class ListStores implements Callable<Integer> {
        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        ListStores(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            List<StoreInfo> stores =
                    options.ask(
                                    cluster ->
                                            cluster.listStores(
                                                    ListStoresRequest.getDefaultInstance()))
                            .getStoresList();
            if (options.json()) {
                List<Map<String, Object>> json = stores.stream().map(ListStores::json).toList();
                console.line(Json.line(Map.of("stores", json)));
                return 0;
            }
            Table table = new Table("ID", "ADDRESS", "STATE", "MODE", "REGIONS", "USED", "VERSION");
            for (StoreInfo store : stores) {
                table.row(
                        store.getOwner().getStoreId(),
                        store.getAddress(),
                        store.getState(),
                        WalNodesCommand.mode(store.getMode()),
                        store.getOwnedRegions(),
                        Shown.bytes(store.getStats().getUsedBytes()),
                        store.getVersion());
            }
            console.line(table.toString());
            return 0;
        }

        private static Map<String, Object> json(StoreInfo store) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", store.getOwner().getStoreId());
            json.put("address", store.getAddress());
            json.put("state", store.getState());
            json.put("mode", WalNodesCommand.mode(store.getMode()));
            json.put("status_address", store.getStatusAddress());
            json.put("incarnation", store.getOwner().getIncarnation());
            json.put("version", store.getVersion());
            json.put("regions", store.getOwnedRegions());
            json.put("capacity", store.getStats().getCapacityBytes());
            json.put("available", store.getStats().getAvailableBytes());
            json.put("used", store.getStats().getUsedBytes());
            json.put("last_heartbeat_ms_ago", store.getLastHeartbeatMsAgo());
            return json;
        }
    }
}
