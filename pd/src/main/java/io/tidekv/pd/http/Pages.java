package io.tidekv.pd.http;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.keyspace.Keyspaces;
import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Members;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.schedule.LiveView;
import java.io.ByteArrayOutputStream;
import java.util.Map;

/** All of PD's pages. */
public final class Pages {
    private Pages() {}

    /**
     * @param config the settings as PD's clients look for them
     */
    public static Router router(
            StateLog log,
            LiveView live,
            Routing routing,
            Members members,
            Metrics metrics,
            Clock clock,
            Keyspaces keyspaces,
            Map<String, Object> config) {
        Router router = new Router();
        new MemberPages(log, members, clock.wallMillis() / 1000).addTo(router);
        new StorePages(log, live, routing, clock).addTo(router);
        new RegionPages(log, routing).addTo(router);
        new RegionViews(log, routing).addTo(router);
        new KeyspacePages(log, keyspaces).addTo(router);
        new RulePages(log, () -> clock.wallMillis() / 1000).addTo(router);
        router.get("/pd/api/v1/config", ask -> HttpAnswer.json(config))
                .get("/pd/api/v1/config/schedule", ask -> part(config, "schedule"))
                .get("/pd/api/v1/config/replicate", ask -> part(config, "replication"))
                .get("/pd/api/v1/config/pd-server", ask -> part(config, "pd-server"))
                .get("/pd/api/v1/min-resolved-ts", ask -> HttpAnswer.json(minResolved()))
                .get("/metrics", ask -> metrics(metrics));
        return router;
    }

    /** Throws {@link NotLeaderException} unless this node leads. */
    static void requireLeader(StateLog log) {
        Leadership leadership = log.leadership();
        if (!leadership.leading()) {
            throw new NotLeaderException(leadership.leader());
        }
    }

    private static HttpAnswer part(Map<String, Object> config, String name) {
        return HttpAnswer.json(config.getOrDefault(name, Map.of()));
    }

    /** Stores do not report resolved timestamps: none is known. */
    private static Map<String, Object> minResolved() {
        return Json.object("is_real_time", false, "min_resolved_ts", 0, "persist_interval", "0s");
    }

    private static HttpAnswer metrics(Metrics metrics) throws java.io.IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(16_384);
        metrics.expose(out);
        return new HttpAnswer(200, Metrics.CONTENT_TYPE, out.toByteArray());
    }
}
