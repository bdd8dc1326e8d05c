package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.region.RegionShape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the region commands share. */
final class Regions {
    private Regions() {}

    static List<RegionInfo> all(CtlOptions options) {
        return options.ask(cluster -> cluster.listRegions(ListRegionsRequest.getDefaultInstance()))
                .getRegionsList();
    }

    static RegionInfo one(CtlOptions options, long id) {
        ListRegionsRequest request = ListRegionsRequest.newBuilder().setRegionId(id).build();
        List<RegionInfo> found =
                options.ask(cluster -> cluster.listRegions(request)).getRegionsList();
        if (found.isEmpty()) {
            throw new CliException("there is no region " + id + ": see `tidekv ctl region list`");
        }
        return found.get(0);
    }

    static String table(List<RegionInfo> regions) {
        Table table =
                new Table("ID", "START", "END", "EPOCH", "OWNER", "TERM", "STATE", "SIZE", "KEYS");
        for (RegionInfo region : regions) {
            RegionShape shape = region.getShape();
            table.row(
                    shape.getRegionId(),
                    Shown.hex(shape.getStartKey()),
                    Shown.hex(shape.getEndKey()),
                    shape.getVersion() + "/" + shape.getConfVer(),
                    region.getOwner().getStoreId(),
                    region.getTerm(),
                    region.getState(),
                    Shown.bytes(region.getApproximateBytes()),
                    region.getApproximateKeys());
        }
        return table.toString();
    }

    static Map<String, Object> json(RegionInfo region) {
        RegionShape shape = region.getShape();
        Map<String, Object> epoch = new LinkedHashMap<>();
        epoch.put("version", shape.getVersion());
        epoch.put("conf_ver", shape.getConfVer());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", shape.getRegionId());
        json.put("start_key", Shown.hex(shape.getStartKey()));
        json.put("end_key", Shown.hex(shape.getEndKey()));
        json.put("epoch", epoch);
        json.put("owner", region.getOwner().getStoreId());
        json.put("incarnation", region.getOwner().getIncarnation());
        json.put("term", region.getTerm());
        json.put("state", region.getState().toString());
        json.put("peer_id", shape.getPeerId());
        json.put("size", region.getApproximateBytes());
        json.put("keys", region.getApproximateKeys());
        json.put("voters", region.getConfig().getWalIdsList());
        json.put("error", region.getError());
        return json;
    }
}
