package io.tidekv.compute.server;

import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Settings;
import io.tidekv.common.http.StatusServer;
import io.tidekv.compute.grpc.KvServices;
import io.tidekv.compute.region.RegionStore;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The status pages of a compute process. */
final class StatusPages {
    private StatusPages() {}

    static StatusServer start(
            ComputeConfig config,
            KvServices services,
            RegionStore regions,
            HostPort address,
            CompletableFuture<String> ended)
            throws IOException {
        StatusServer.Builder pages = StatusServer.builder();
        services.addPages(
                pages,
                () -> Settings.render(config),
                () -> status(regions),
                () -> ended.getNow(""));
        return pages.start(address);
    }

    private static Map<String, Object> status(RegionStore regions) {
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("version", ComputeServer.VERSION);
        status.put("store_id", regions.storeId());
        status.put("regions", regions.regions().size());
        return status;
    }
}
