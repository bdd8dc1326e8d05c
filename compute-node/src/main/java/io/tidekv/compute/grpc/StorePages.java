package io.tidekv.compute.grpc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.compute.engine.ApiMode;
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
     * @param toml settings in force
     * @param status what {@code /status} shows
     * @param problem why the store cannot serve; empty when it can
     */
    static void add(
            StatusServer.Builder pages,
            ApiMode mode,
            Metrics metrics,
            Supplier<String> toml,
            Supplier<?> status,
            Supplier<String> problem) {
        pages.get("/config", ask -> HttpAnswer.json(config(toml.get(), mode)));
        pages.get(
                "/ready",
                ask -> {
                    String text = problem.get();
                    return text.isEmpty() ? HttpAnswer.text("ready") : HttpAnswer.error(503, text);
                });
        pages.status(status).metrics(metrics).health(problem);
    }

    /** TiKV answers JSON here. */
    private static ObjectNode config(String toml, ApiMode mode) throws JsonProcessingException {
        ObjectNode config = (ObjectNode) new TomlMapper().readTree(toml);
        config.withObject("/storage")
                .put("api-version", mode == ApiMode.V2 ? 2 : 1)
                .put("enable-ttl", mode != ApiMode.V1);
        return config;
    }
}
