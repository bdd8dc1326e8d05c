package io.tidekv.pd.http;

import com.google.protobuf.ByteString;
import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.HttpAsk;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Routing;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Regions; keys are shown in hex, as they are stored. */
final class RegionPages {
    private static final int LIMIT_DEFAULT = 16;
    private static final int LIMIT_MAX = 10_240;
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private final StateLog log;
    private final Routing routing;

    RegionPages(StateLog log, Routing routing) {
        this.log = log;
        this.routing = routing;
    }

    void addTo(Router router) {
        router.get("/pd/api/v1/regions", ask -> list(checked(routing.all())))
                .get("/pd/api/v1/regions/key", this::fromKey)
                .get("/pd/api/v1/regions/count", ask -> count())
                .get("/pd/api/v1/regions/store/{id}", this::ofStore)
                .get("/pd/api/v1/regions/range-holes", ask -> HttpAnswer.json(checked(List.of())))
                .get("/pd/api/v1/region/id/{id}", this::byId)
                .get("/pd/api/v1/region/key/{key}", this::byKey)
                .get("/pd/api/v1/stats/region", this::stats);
    }

    private <T> T checked(T value) {
        Pages.requireLeader(log);
        return value;
    }

    private HttpAnswer count() {
        Pages.requireLeader(log);
        return HttpAnswer.json(Json.object("count", routing.count(), "regions", List.of()));
    }

    static HttpAnswer list(List<Located> regions) {
        return HttpAnswer.json(
                Json.object(
                        "count",
                        regions.size(),
                        "regions",
                        regions.stream().map(RegionPages::region).toList()));
    }

    private HttpAnswer fromKey(HttpAsk ask) {
        Pages.requireLeader(log);
        int limit = LIMIT_DEFAULT;
        if (!ask.query().getOrDefault("limit", "").isEmpty()) {
            limit = Integer.parseInt(ask.query().getOrDefault("limit", ""));
        }
        boolean hex = ask.query().getOrDefault("format", "").equals("hex");
        return list(
                routing.scan(
                        key(ask.query().getOrDefault("key", ""), hex),
                        key(ask.query().getOrDefault("end_key", ""), hex),
                        limit <= 0 ? LIMIT_MAX : Math.min(limit, LIMIT_MAX)));
    }

    private HttpAnswer ofStore(HttpAsk ask) {
        Pages.requireLeader(log);
        long id = Long.parseUnsignedLong(ask.variables().getOrDefault("id", ""));
        return list(routing.all().stream().filter(r -> r.peer().getStoreId() == id).toList());
    }

    private HttpAnswer byId(HttpAsk ask) {
        Pages.requireLeader(log);
        String text = ask.variables().getOrDefault("id", "");
        long id;
        try {
            id = Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("region id \"" + text + "\" is no number", e);
        }
        return found(routing.byId(id), "region " + text);
    }

    private HttpAnswer byKey(HttpAsk ask) {
        Pages.requireLeader(log);
        boolean hex = ask.query().getOrDefault("format", "").equals("hex");
        return found(routing.byKey(key(ask.variables().getOrDefault("key", ""), hex)), "region");
    }

    private static HttpAnswer found(@Nullable Located region, String what) {
        return region == null
                ? HttpAnswer.json(404, "[PD:region:ErrRegionNotFound]" + what + " not found")
                : HttpAnswer.json(region(region));
    }

    private static ByteString key(String text, boolean hex) {
        return hex
                ? ByteString.copyFrom(HEX.parseHex(text))
                : ByteString.copyFrom(text, StandardCharsets.ISO_8859_1);
    }

    private static Map<String, Object> region(Located region) {
        RegionShape shape = region.entry().getShape();
        Map<String, Object> json =
                Json.object(
                        "id", shape.getRegionId(),
                        "start_key", HEX.formatHex(shape.getStartKey().toByteArray()),
                        "end_key", HEX.formatHex(shape.getEndKey().toByteArray()),
                        "epoch",
                                Json.object(
                                        "conf_ver", shape.getConfVer(),
                                        "version", shape.getVersion()),
                        "peers", List.of(peer(region.peer())));
        if (region.leading()) {
            json.put("leader", peer(region.peer()));
        }
        RegionReport report = region.report();
        json.put("written_bytes", report == null ? 0 : report.getWrittenBytes());
        json.put("read_bytes", report == null ? 0 : report.getReadBytes());
        json.put("approximate_size", megabytes(region));
        json.put("approximate_keys", report == null ? 0 : report.getApproximateKeys());
        return json;
    }

    private static Map<String, Object> peer(Peer peer) {
        return Json.object("role_name", "Voter", "id", peer.getId(), "store_id", peer.getStoreId());
    }

    /** PD counts in megabytes and calls nothing smaller than one. */
    static long megabytes(Located region) {
        RegionReport report = region.report();
        long bytes = report == null ? 0 : report.getApproximateBytes();
        return bytes == 0 ? 0 : Math.max(1, bytes >> 20);
    }

    private HttpAnswer stats(HttpAsk ask) {
        Pages.requireLeader(log);
        boolean hex = ask.query().getOrDefault("format", "").equals("hex");
        List<Located> regions =
                routing.scan(
                        key(ask.query().getOrDefault("start_key", ""), hex),
                        key(ask.query().getOrDefault("end_key", ""), hex),
                        0);
        Map<String, Long> counts = new LinkedHashMap<>();
        Map<String, Long> sizes = new LinkedHashMap<>();
        Map<String, Long> keys = new LinkedHashMap<>();
        long size = 0;
        long rows = 0;
        for (Located region : regions) {
            String store = Long.toUnsignedString(region.peer().getStoreId());
            RegionReport report = region.report();
            long regionRows = report == null ? 0 : report.getApproximateKeys();
            size += megabytes(region);
            rows += regionRows;
            counts.merge(store, 1L, Long::sum);
            sizes.merge(store, megabytes(region), Long::sum);
            keys.merge(store, regionRows, Long::sum);
        }
        return HttpAnswer.json(
                Json.object(
                        "count", regions.size(),
                        "empty_count", regions.stream().filter(r -> megabytes(r) == 0).count(),
                        "storage_size", size,
                        "storage_keys", rows,
                        "store_leader_count", counts,
                        "store_peer_count", counts,
                        "store_leader_size", sizes,
                        "store_leader_keys", keys,
                        "store_peer_size", sizes,
                        "store_peer_keys", keys));
    }
}
