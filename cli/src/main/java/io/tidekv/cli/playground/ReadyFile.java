package io.tidekv.cli.playground;

import io.tidekv.cli.Json;
import io.tidekv.cli.server.RoleKind;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.cluster.WalNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What programs that drive a playground need to know of it. */
final class ReadyFile {
    private ReadyFile() {}

    static void write(Path file, Plan plan, RunningCluster cluster, Readiness.Ready ready)
            throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        DataFolder.write(file, Json.pretty(content(plan, cluster, ready)));
    }

    static Map<String, Object> content(Plan plan, RunningCluster cluster, Readiness.Ready ready) {
        List<RoleSpec> pd = plan.roles(RoleKind.PD);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("cluster_id", Json.unsigned(ready.status().getClusterId()));
        json.put("api_version", plan.api().text());
        json.put("pd", pd.stream().map(RoleSpec::address).toList());
        json.put("pd_pids", pd.stream().map(cluster::pid).toList());
        List<Object> compute = new ArrayList<>();
        for (RoleSpec role : plan.roles(RoleKind.COMPUTE)) {
            compute.add(compute(role, cluster.pid(role), ready.stores()));
        }
        json.put("compute", compute);
        List<Object> wal = new ArrayList<>();
        for (RoleSpec role : plan.roles(RoleKind.WAL)) {
            wal.add(wal(role, cluster.pid(role), ready.wal()));
        }
        json.put("wal", wal);
        List<Object> damaged = new ArrayList<>();
        ready.status().getDamagedList().forEach(region -> damaged.add(damaged(region)));
        json.put("damaged", damaged);
        json.put("object_store", Secrets.hide(plan.objectStore()));
        json.put("log_dir", plan.logDir().toString());
        json.put("data_dir", plan.data().toString());
        return json;
    }

    private static Map<String, Object> damaged(RegionInfo region) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("region", region.getShape().getRegionId());
        json.put("error", region.getError());
        return json;
    }

    private static Map<String, Object> compute(RoleSpec role, long pid, List<StoreInfo> stores) {
        long id =
                stores.stream()
                        .filter(store -> store.getAddress().equals(role.address()))
                        .mapToLong(store -> store.getOwner().getStoreId())
                        .findFirst()
                        .orElse(0);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", id);
        json.put("addr", role.address());
        json.put("status", role.statusAddress());
        json.put("pid", pid);
        json.put("data_dir", role.dataDir().toString());
        return json;
    }

    private static Map<String, Object> wal(RoleSpec role, long pid, List<WalNode> nodes) {
        long id =
                nodes.stream()
                        .filter(node -> node.getAddress().equals(role.address()))
                        .mapToLong(WalNode::getWalId)
                        .findFirst()
                        .orElse(0);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", id);
        json.put("addr", role.address());
        json.put("status", role.statusAddress());
        json.put("pid", pid);
        json.put("data_dir", role.dataDir().toString());
        return json;
    }
}
