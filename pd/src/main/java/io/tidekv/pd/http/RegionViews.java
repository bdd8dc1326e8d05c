package io.tidekv.pd.http;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.HttpAsk;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Routing;
import io.tidekv.proto.cluster.RegionReport;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/** Regions that stand out: the largest, the busiest, those with something amiss. */
final class RegionViews {
    private static final int LIMIT_DEFAULT = 16;
    private static final int LIMIT_MAX = 10_240;
    private static final long OVERSIZED_MEGABYTES = 144;
    private static final long UNDERSIZED_MEGABYTES = 20;
    private static final long BUCKET_MEGABYTES = 10;

    private final StateLog log;
    private final Routing routing;

    RegionViews(StateLog log, Routing routing) {
        this.log = log;
        this.routing = routing;
    }

    void addTo(Router router) {
        top(router, "writeflow", r -> reported(r, RegionReport::getWrittenBytes));
        top(router, "readflow", r -> reported(r, RegionReport::getReadBytes));
        top(router, "confver", r -> r.entry().getShape().getConfVer());
        top(router, "version", r -> r.entry().getShape().getVersion());
        top(router, "size", RegionPages::megabytes);
        top(router, "keys", r -> reported(r, RegionReport::getApproximateKeys));
        // Nobody counts the time that a region takes.
        top(router, "cpu", r -> 0);
        // A region has one peer for clients, and that one either serves or is being moved.
        for (String none :
                List.of(
                        "miss-peer",
                        "extra-peer",
                        "pending-peer",
                        "learner-peer",
                        "offline-peer")) {
            check(router, none, r -> false);
        }
        check(router, "down-peer", r -> !r.leading());
        check(router, "empty-region", r -> RegionPages.megabytes(r) <= 1);
        check(router, "oversized-region", r -> RegionPages.megabytes(r) > OVERSIZED_MEGABYTES);
        check(router, "undersized-region", r -> RegionPages.megabytes(r) < UNDERSIZED_MEGABYTES);
        router.get("/pd/api/v1/regions/check/hist-size", this::sizes);
        router.get("/pd/api/v1/regions/replicated", ask -> replicated());
    }

    private void top(Router router, String name, ToLongFunction<Located> by) {
        router.get(
                "/pd/api/v1/regions/" + name,
                ask -> {
                    Comparator<Located> order = Comparator.comparingLong(by).reversed();
                    return RegionPages.list(
                            all().stream().sorted(order).limit(limit(ask)).toList());
                });
    }

    private void check(Router router, String name, Predicate<Located> amiss) {
        router.get(
                "/pd/api/v1/regions/check/" + name,
                ask -> RegionPages.list(all().stream().filter(amiss).toList()));
    }

    private List<Located> all() {
        Pages.requireLeader(log);
        return routing.all();
    }

    private static int limit(HttpAsk ask) {
        String text = ask.query().getOrDefault("limit", "");
        int limit = text.isEmpty() ? LIMIT_DEFAULT : Integer.parseInt(text);
        return limit <= 0 ? LIMIT_MAX : Math.min(limit, LIMIT_MAX);
    }

    private static long reported(Located region, ToLongFunction<RegionReport> what) {
        RegionReport report = region.report();
        return report == null ? 0 : what.applyAsLong(report);
    }

    private HttpAnswer sizes(HttpAsk ask) {
        String bound = ask.query().getOrDefault("bound", "");
        long width = bound.isEmpty() ? BUCKET_MEGABYTES : Math.max(1, Long.parseLong(bound));
        Map<Long, Long> counts = new TreeMap<>(Comparator.reverseOrder());
        all().forEach(r -> counts.merge(RegionPages.megabytes(r) / width, 1L, Long::sum));
        return HttpAnswer.json(
                counts.entrySet().stream()
                        .map(
                                e ->
                                        Json.object(
                                                "start",
                                                e.getKey() * width,
                                                "end",
                                                (e.getKey() + 1) * width - 1,
                                                "count",
                                                e.getValue()))
                        .toList());
    }

    private HttpAnswer replicated() {
        boolean served = all().stream().allMatch(Located::leading);
        return HttpAnswer.json(served ? "REPLICATED" : "PENDING");
    }
}
