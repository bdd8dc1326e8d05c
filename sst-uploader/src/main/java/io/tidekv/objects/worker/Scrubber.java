package io.tidekv.objects.worker;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks all records of a store, region by region in the order of their names, and the objects that
 * they refer to. Belongs to one thread; the report so far may be read by any.
 */
final class Scrubber {
    private static final Logger log = LoggerFactory.getLogger(Scrubber.class);
    private static final int PAGE = 1000;

    private final ObjectStore store;
    private final long clusterId;
    private final StoreContext context;
    private final ContentCheck contents;
    private final List<RegionFindings> damaged = new ArrayList<>();
    private final long startedMillis;
    private int clusters;
    private int regions;
    private long records;
    private long objects;
    private volatile ScrubReport report;

    /**
     * @param clusterId 0 = every cluster in the store
     */
    Scrubber(ObjectStore store, long clusterId, long bytesPerSecond, StoreContext context) {
        this.store = store;
        this.clusterId = clusterId;
        this.context = context;
        this.contents = new ContentCheck(bytesPerSecond, context.sleeper());
        this.startedMillis = context.clock().wallMillis();
        this.report = report(0, "");
    }

    /** What has been found so far. */
    ScrubReport report() {
        return report;
    }

    /** Checks everything, once. */
    ScrubReport run() throws InterruptedException {
        String stoppedBy = "";
        try {
            if (clusterId != 0) {
                cluster(clusterId);
            } else {
                allClusters();
            }
        } catch (ObjectStoreException e) {
            stoppedBy = String.valueOf(e.getMessage());
            log.warn("the check of the object store did not get to its end: {}", stoppedBy);
        }
        report = report(context.clock().wallMillis(), stoppedBy);
        return report;
    }

    private void allClusters() throws InterruptedException {
        String after = "";
        while (true) {
            List<ObjectInfo> next = store.list("", after, 1);
            if (next.isEmpty()) {
                return;
            }
            String name = next.get(0).name();
            String top = name.substring(0, Math.max(name.indexOf('/'), 0));
            long id = parse(top);
            if (id != 0) {
                cluster(id);
                // The first name that is not below it: '0' follows '/'.
                after = top + "0";
            } else {
                after = top.isEmpty() ? name : top + "0";
            }
        }
    }

    private static long parse(String id) {
        try {
            return id.matches("[1-9][0-9]*") ? Long.parseUnsignedLong(id) : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private void cluster(long id) throws InterruptedException {
        clusters++;
        ObjectStore cluster = store.under(ObjectKeys.cluster(id));
        SortedMap<Long, List<ObjectRef>> packed = packed(cluster, id);
        RegionScrub region = null;
        long regionId = 0;
        String after = "";
        List<ObjectInfo> page;
        do {
            page = cluster.list(ObjectKeys.RECORD_PREFIX, after, PAGE);
            for (ObjectInfo record : page) {
                after = record.name();
                long next = ObjectKeys.regionOf(after);
                if (region == null || next != regionId) {
                    finish(region);
                    region = new RegionScrub(cluster, id, next, contents);
                    regionId = next;
                    members(region, packed.remove(next));
                }
                region.record(whole(record));
                records++;
            }
        } while (page.size() == PAGE);
        finish(region);
        for (Map.Entry<Long, List<ObjectRef>> rest : packed.entrySet()) {
            RegionScrub other = new RegionScrub(cluster, id, rest.getKey(), contents);
            members(other, rest.getValue());
            finish(other);
        }
    }

    private static ObjectRef whole(ObjectInfo record) {
        return ObjectRef.newBuilder().setKey(record.name()).setLength(record.length()).build();
    }

    private void members(RegionScrub region, @Nullable List<ObjectRef> members) {
        for (ObjectRef member : members == null ? List.<ObjectRef>of() : members) {
            region.record(member);
            records++;
        }
    }

    /** Records in packs, by region. A pack that cannot be read is a finding of region 0. */
    private SortedMap<Long, List<ObjectRef>> packed(ObjectStore cluster, long id)
            throws InterruptedException {
        SortedMap<Long, List<ObjectRef>> packed = new TreeMap<>(Long::compareUnsigned);
        RegionScrub unknown = null;
        String after = "";
        List<ObjectInfo> page;
        do {
            page = cluster.list(ObjectKeys.PACK_PREFIX, after, PAGE);
            for (ObjectInfo pack : page) {
                after = pack.name();
                String problem = members(cluster, pack, packed);
                if (!problem.isEmpty()) {
                    unknown = unknown == null ? new RegionScrub(cluster, id, 0, contents) : unknown;
                    unknown.damagedPack(problem);
                }
            }
        } while (page.size() == PAGE);
        finish(unknown);
        return packed;
    }

    private static String members(
            ObjectStore cluster, ObjectInfo pack, SortedMap<Long, List<ObjectRef>> packed) {
        try {
            for (PackCodec.Member member : PackCodec.members(cluster, pack.name(), pack.length())) {
                if (member.kind() == PackCodec.Kind.RECORD) {
                    packed.computeIfAbsent(member.region(), r -> new ArrayList<>())
                            .add(RecordNames.ref(pack.name(), member));
                }
            }
            return "";
        } catch (RecordDamaged e) {
            return String.valueOf(e.getMessage());
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return "";
            }
            if (e.kind() == Kind.CORRUPT) {
                return String.valueOf(e.getMessage());
            }
            throw e;
        }
    }

    private void finish(@Nullable RegionScrub region) throws InterruptedException {
        if (region == null) {
            return;
        }
        RegionFindings findings = region.finish();
        regions++;
        objects += findings.objects();
        if (findings.isDamaged()) {
            damaged.add(findings);
        }
        report = report(0, "");
    }

    private ScrubReport report(long finishedMillis, String stoppedBy) {
        return new ScrubReport(
                startedMillis,
                finishedMillis,
                clusters,
                regions,
                records,
                objects,
                contents.readBytes(),
                List.copyOf(damaged),
                stoppedBy);
    }
}
