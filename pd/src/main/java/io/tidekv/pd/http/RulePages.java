package io.tidekv.pd.http;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.HttpAsk;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.pdstate.Barrier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * What PD's clients read of rules and of what holds garbage back. There is one rule, and it cannot
 * be changed: each region has one peer for clients, anywhere.
 */
final class RulePages {
    private static final Map<String, Object> RULE =
            Json.object(
                    "group_id", "pd",
                    "id", "default",
                    "start_key", "",
                    "end_key", "",
                    "role", "voter",
                    "is_witness", false,
                    "count", 1);
    private static final Map<String, Object> BUNDLE =
            Json.object(
                    "group_id",
                    "pd",
                    "group_index",
                    0,
                    "group_override",
                    false,
                    "rules",
                    List.of(RULE));

    private final StateLog log;
    private final LongSupplier nowSeconds;

    RulePages(StateLog log, LongSupplier nowSeconds) {
        this.log = log;
        this.nowSeconds = nowSeconds;
    }

    void addTo(Router router) {
        String config = "/pd/api/v1/config/";
        router.get(config + "rules", ask -> json(List.of(RULE)))
                .get(config + "rules/group/{group}", this::ofGroup)
                .get(config + "rule/{group}/{id}", this::one)
                .get(config + "placement-rule", ask -> json(List.of(BUNDLE)))
                .get(config + "placement-rule/{group}", this::bundle)
                .get(config + "rule_groups", ask -> json(List.of()))
                .get(config + "region-label/rules", ask -> json(List.of()))
                .get("/pd/api/v1/gc/safepoint", ask -> json(safePoints()));
    }

    private HttpAnswer json(Object content) {
        Pages.requireLeader(log);
        return HttpAnswer.json(content);
    }

    private HttpAnswer ofGroup(HttpAsk ask) {
        return json(isPd(ask) ? List.of(RULE) : List.of());
    }

    private HttpAnswer one(HttpAsk ask) {
        Pages.requireLeader(log);
        return isPd(ask) && ask.variables().getOrDefault("id", "").equals("default")
                ? HttpAnswer.json(RULE)
                : HttpAnswer.json(404, "[PD:placement:ErrRuleNotFound]rule not found");
    }

    private HttpAnswer bundle(HttpAsk ask) {
        return json(
                isPd(ask)
                        ? BUNDLE
                        : Json.object(
                                "group_id",
                                ask.variables().getOrDefault("group", ""),
                                "group_index",
                                0,
                                "group_override",
                                false,
                                "rules",
                                List.of()));
    }

    private static boolean isPd(HttpAsk ask) {
        return ask.variables().getOrDefault("group", "").equals("pd");
    }

    private Map<String, Object> safePoints() {
        long now = nowSeconds.getAsLong();
        return log.read(
                state -> {
                    List<Object> services = new ArrayList<>();
                    for (Barrier barrier : state.safePoints().barriers(now)) {
                        services.add(
                                Json.object(
                                        "service_id", barrier.getId(),
                                        "expired_at", barrier.getExpiresAtSeconds(),
                                        "safe_point", barrier.getTs()));
                    }
                    return Json.object(
                            "service_gc_safe_points",
                            services,
                            "gc_safe_point",
                            state.safePoints().gc());
                });
    }
}
