package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.RegionInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl status}. */
@Command(
        name = "status",
        description = "Print the state of the cluster; exit code 1 when not all of it serves.")
final class StatusCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    StatusCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        ClusterStatusResponse status =
                options.ask(
                        cluster ->
                                cluster.clusterStatus(ClusterStatusRequest.getDefaultInstance()));
        boolean healthy =
                status.getStoresUp() == status.getStoresTotal()
                        && status.getStoresTotal() > 0
                        && status.getWalUp() == status.getWalTotal()
                        && status.getRegionsServing() == status.getRegions()
                        && status.getRegions() > 0;
        if (options.json()) {
            console.line(Json.line(json(status, healthy)));
        } else {
            console.line(text(status, healthy));
        }
        return healthy ? 0 : 1;
    }

    private static Map<String, Object> json(ClusterStatusResponse status, boolean healthy) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("cluster_id", Json.unsigned(status.getClusterId()));
        json.put("version", status.getVersion());
        json.put("api_version", Shown.apiMode(status.getSettings().getApiMode()));
        json.put("healthy", healthy);
        json.put("stores_up", status.getStoresUp());
        json.put("stores_total", status.getStoresTotal());
        json.put("wal_up", status.getWalUp());
        json.put("wal_total", status.getWalTotal());
        json.put("regions", status.getRegions());
        json.put("regions_serving", status.getRegionsServing());
        json.put("damaged", damaged(status));
        json.put("pd_leader", status.getPdLeader());
        json.put("pd_members", status.getPdMembersList());
        return json;
    }

    private static List<Map<String, Object>> damaged(ClusterStatusResponse status) {
        List<Map<String, Object>> damaged = new ArrayList<>();
        for (RegionInfo region : status.getDamagedList()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("region", region.getShape().getRegionId());
            json.put("error", region.getError());
            damaged.add(json);
        }
        return damaged;
    }

    private static String text(ClusterStatusResponse status, boolean healthy) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "cluster   "
                        + Long.toUnsignedString(status.getClusterId())
                        + (healthy ? ", everything serves" : ", NOT everything serves"));
        lines.add(
                "version   "
                        + status.getVersion()
                        + ", API "
                        + Shown.apiMode(status.getSettings().getApiMode()));
        lines.add(
                "pd        "
                        + status.getPdLeader()
                        + " leads "
                        + String.join(",", status.getPdMembersList()));
        lines.add("wal       " + status.getWalUp() + " of " + status.getWalTotal() + " up");
        lines.add("compute   " + status.getStoresUp() + " of " + status.getStoresTotal() + " up");
        lines.add(
                "regions   "
                        + status.getRegionsServing()
                        + " of "
                        + status.getRegions()
                        + " serve");
        for (RegionInfo region : status.getDamagedList()) {
            lines.add(
                    "DAMAGED   region "
                            + region.getShape().getRegionId()
                            + ": "
                            + region.getError());
        }
        return String.join(System.lineSeparator(), lines);
    }
}
