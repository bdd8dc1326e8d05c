package io.tidekv.compute.grpc;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.compute.engine.ApiMode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The status pages of a store, at TiKV's paths. Clients read {@code storage.api-version} and {@code
 * storage.enable-ttl} of {@code /config} to learn the cluster's mode.
 */
final class StorePages {
    private StorePages() {}

    /**
     * Adds {@code /status /config /metrics /health /ready}.
     *
     * @param config settings in force by section, as JSON can hold them; the mode is added
     * @param status what {@code /status} shows
     * @param problem why the store cannot serve; empty when it can
     */
    static void add(
            StatusServer.Builder pages,
            ApiMode mode,
            Metrics metrics,
            Supplier<Map<String, Object>> config,
            Supplier<Map<String, Object>> status,
            Supplier<String> problem) {
        pages.get("/config", ask -> HttpAnswer.json(withMode(config.get(), mode)));
        pages.get(
                "/ready",
                ask -> {
                    String text = problem.get();
                    return text.isEmpty() ? HttpAnswer.text("ready") : HttpAnswer.error(503, text);
                });
        pages.status(status).metrics(metrics).health(problem);
    }

    private static Map<String, Object> withMode(Map<String, Object> config, ApiMode mode) {
        Map<String, Object> all = new LinkedHashMap<>(config);
        Map<String, Object> storage = new LinkedHashMap<>();
        if (config.get("storage") instanceof Map<?, ?> given) {
            given.forEach((name, value) -> storage.put(String.valueOf(name), value));
        }
        storage.put("api-version", mode == ApiMode.V2 ? 2 : 1);
        storage.put("enable-ttl", mode != ApiMode.V1);
        all.put("storage", storage);
        return all;
    }
}
