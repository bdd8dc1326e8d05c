package io.tidekv.pd.server;

import io.tidekv.pd.routing.Members;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The settings under the names that PD's clients look for. What TideKV does not have is left out.
 */
final class ConfigPage {
    private ConfigPage() {}

    static Map<String, Object> of(PdConfig config, Topology topology) {
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("name", config.name());
        page.put("data-dir", config.dataDir());
        page.put("client-urls", config.clientUrls());
        page.put(
                "advertise-client-urls",
                config.advertiseClientUrls().isBlank()
                        ? config.clientUrls()
                        : config.advertiseClientUrls());
        page.put("peer-urls", config.peerUrls());
        page.put("advertise-peer-urls", config.peerUrls());
        page.put("initial-cluster", topology.toString());
        page.put("cluster-version", Members.VERSION);

        Map<String, Object> schedule = new LinkedHashMap<>();
        boolean balance = config.schedule().balance();
        schedule.put("region-schedule-limit", balance ? 1 : 0);
        schedule.put("leader-schedule-limit", 0);
        schedule.put("max-store-down-time", config.schedule().storeTimeout().toMillis() + "ms");
        page.put("schedule", schedule);

        Map<String, Object> replication = new LinkedHashMap<>();
        replication.put("max-replicas", 1);
        replication.put("location-labels", "");
        replication.put("strictly-match-label", "false");
        replication.put("enable-placement-rules", "false");
        replication.put("enable-placement-rules-cache", "false");
        replication.put("isolation-level", "");
        page.put("replication", replication);

        Map<String, Object> server = new LinkedHashMap<>();
        server.put("key-type", config.pdServer().apiMode() == 2 ? "raw" : "table");
        page.put("pd-server", server);
        return page;
    }
}
