package io.tidekv.pd.http;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.HttpAsk;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.routing.StoreInfos;
import io.tidekv.pd.routing.StoreStates;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.proto.cluster.Label;
import io.tidekv.proto.metapb.Store;
import io.tidekv.proto.pdpb.StoreStats;
import io.tidekv.proto.pdstate.StoreEntry;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Stores and how they fare. */
final class StorePages {
    private final StateLog log;
    private final LiveView live;
    private final StoreInfos infos;
    private final Routing routing;
    private final Clock clock;

    StorePages(StateLog log, LiveView live, Routing routing, Clock clock) {
        this.log = log;
        this.live = live;
        this.infos = new StoreInfos(live);
        this.routing = routing;
        this.clock = clock;
    }

    void addTo(Router router) {
        router.get("/pd/api/v1/stores", ask -> HttpAnswer.json(all(ask)))
                .get("/pd/api/v1/stores/check", ask -> HttpAnswer.json(inState(ask)))
                .get("/pd/api/v1/labels", ask -> HttpAnswer.json(labels()))
                .get("/pd/api/v1/labels/stores", ask -> HttpAnswer.json(labelled(ask)))
                .get("/pd/api/v1/store/{id}", this::one);
    }

    /** With {@code state=}: 0 and 1 are stores in use, 2 those that are gone for good. */
    private Map<String, Object> all(HttpAsk ask) {
        Pages.requireLeader(log);
        String state = ask.query().getOrDefault("state", "0");
        List<StoreEntry> entries =
                state.equals("0") ? log.read(s -> List.copyOf(s.stores())) : List.of();
        return Json.object(
                "count", entries.size(), "stores", entries.stream().map(this::store).toList());
    }

    private Map<String, Object> inState(HttpAsk ask) {
        List<String> wanted = List.of(ask.query().getOrDefault("state", "").split(",", -1));
        return listed(
                s ->
                        wanted.stream()
                                .anyMatch(
                                        StoreStates.name(live.store(s.getStoreId()), clock)
                                                ::equalsIgnoreCase));
    }

    private Map<String, Object> labelled(HttpAsk ask) {
        String name = ask.query().getOrDefault("name", "");
        String value = ask.query().getOrDefault("value", "");
        return listed(
                s ->
                        s.getLabelsList().stream()
                                .anyMatch(
                                        l ->
                                                l.getKey().contains(name)
                                                        && l.getValue().contains(value)));
    }

    private List<Map<String, Object>> labels() {
        Pages.requireLeader(log);
        return log.read(s -> List.copyOf(s.stores())).stream()
                .flatMap(s -> s.getLabelsList().stream())
                .distinct()
                .map(StorePages::label)
                .toList();
    }

    private Map<String, Object> listed(Predicate<StoreEntry> which) {
        Pages.requireLeader(log);
        List<Map<String, Object>> found =
                log.read(s -> List.copyOf(s.stores())).stream()
                        .filter(which)
                        .map(this::store)
                        .toList();
        return Json.object("count", found.size(), "stores", found);
    }

    private HttpAnswer one(HttpAsk ask) {
        Pages.requireLeader(log);
        String text = ask.variables().getOrDefault("id", "");
        long id;
        try {
            id = Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            return HttpAnswer.json(
                    400,
                    Json.object(
                            "code",
                            "input",
                            "msg",
                            "store id \"" + text + "\" is no number",
                            "data",
                            Json.object()));
        }
        StoreEntry entry = log.read(s -> s.store(id));
        return entry == null
                ? HttpAnswer.json(404, "[PD:core:ErrStoreNotFound]store " + text + " not found")
                : HttpAnswer.json(store(entry));
    }

    private Map<String, Object> store(StoreEntry entry) {
        Store store = infos.store(entry);
        Map<String, Object> meta =
                Json.object(
                        "id", store.getId(),
                        "address", store.getAddress(),
                        "version", store.getVersion(),
                        "peer_address", store.getPeerAddress(),
                        "status_address", store.getStatusAddress(),
                        "git_hash", store.getGitHash(),
                        "start_timestamp", store.getStartTimestamp(),
                        "deploy_path", store.getDeployPath(),
                        "last_heartbeat", store.getLastHeartbeat(),
                        "node_state", store.getNodeStateValue(),
                        "state_name", StoreStates.name(live.store(store.getId()), clock));
        if (entry.getLabelsCount() > 0) {
            meta.put("labels", entry.getLabelsList().stream().map(StorePages::label).toList());
        }
        return Json.object("store", meta, "status", status(entry, store));
    }

    private static Map<String, Object> label(Label label) {
        return Json.object("key", label.getKey(), "value", label.getValue());
    }

    private Map<String, Object> status(StoreEntry entry, Store store) {
        StoreStats stats = infos.stats(entry);
        long id = store.getId();
        List<Located> owned =
                routing.all().stream().filter(r -> r.peer().getStoreId() == id).toList();
        long leaders = owned.stream().filter(Located::leading).count();
        long megabytes = owned.stream().mapToLong(RegionPages::megabytes).sum();
        long startMillis = store.getStartTimestamp() * 1000;
        return Json.object(
                "capacity",
                Json.size(stats.getCapacity()),
                "available",
                Json.size(stats.getAvailable()),
                "used_size",
                Json.size(stats.getUsedSize()),
                "leader_count",
                leaders,
                "leader_weight",
                1,
                "leader_score",
                leaders,
                "leader_size",
                megabytes,
                "region_count",
                owned.size(),
                "region_weight",
                1,
                "region_score",
                megabytes,
                "region_size",
                megabytes,
                "slow_score",
                1,
                "slow_trend",
                Json.object(
                        "cause_value", 0,
                        "cause_rate", 0,
                        "result_value", 0,
                        "result_rate", 0),
                "start_ts",
                Json.time(startMillis),
                "last_heartbeat_ts",
                Json.time(store.getLastHeartbeat() / 1_000_000),
                "uptime",
                Json.duration(clock.wallMillis() - startMillis));
    }
}
