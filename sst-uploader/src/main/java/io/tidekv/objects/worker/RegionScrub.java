package io.tidekv.objects.worker;

import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the records of one region and the objects that they refer to. What is wrong with an object
 * is a finding; a store that does not answer ends the check with its exception.
 */
final class RegionScrub {
    private static final Logger log = LoggerFactory.getLogger(RegionScrub.class);
    private static final int PROBLEMS_MAX = 10;

    private final ObjectStore cluster;
    private final long clusterId;
    private final long regionId;
    private final ContentCheck contents;
    private final Map<String, ObjectRef> referred = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private int records;
    private int damagedRecords;
    private int missingObjects;
    private int damagedObjects;

    RegionScrub(ObjectStore cluster, long clusterId, long regionId, ContentCheck contents) {
        this.cluster = cluster;
        this.clusterId = clusterId;
        this.regionId = regionId;
        this.contents = contents;
    }

    /** Reads a record and remembers what it refers to. */
    void record(String name) {
        records++;
        try {
            byte[] frame = cluster.get(name, RecordCodec.BYTES_MAX);
            RecordCodec.Expected expected = new RecordCodec.Expected(clusterId, regionId);
            TabletRecord record = RecordCodec.decode(name, frame, expected);
            for (ColumnFamily family : record.getColumnFamiliesList()) {
                for (SstFile file : family.getFilesList()) {
                    ObjectRef ref = file.getObject();
                    referred.putIfAbsent(ref.getKey() + "@" + ref.getOffset(), ref);
                }
            }
        } catch (RecordDamaged e) {
            damagedRecords++;
            found(String.valueOf(e.getMessage()));
        } catch (ObjectStoreException e) {
            if (e.kind() != Kind.CORRUPT && e.kind() != Kind.NOT_FOUND) {
                throw e;
            }
            damagedRecords++;
            found(String.valueOf(e.getMessage()));
        }
    }

    /** Checks what the records refer to. */
    RegionFindings finish() throws InterruptedException {
        for (ObjectRef ref : referred.values()) {
            object(ref);
        }
        return new RegionFindings(
                clusterId,
                regionId,
                records,
                damagedRecords,
                referred.size(),
                missingObjects,
                damagedObjects,
                List.copyOf(problems));
    }

    private void object(ObjectRef ref) throws InterruptedException {
        ObjectInfo info = cluster.head(ref.getKey());
        if (info == null) {
            missingObjects++;
            found("object " + ref.getKey() + " is missing");
            return;
        }
        long end = ref.getOffset() + ref.getLength();
        boolean whole = ref.getOffset() == 0 && !ref.getKey().startsWith("pack/");
        String problem = "";
        if (info.length() < end || (whole && info.length() != end)) {
            problem = "it has " + info.length() + " bytes instead of " + end;
        } else {
            problem = contents.problem(cluster, ref);
        }
        if (!problem.isEmpty()) {
            damagedObjects++;
            found("object " + ref.getKey() + " is damaged: " + problem);
        }
    }

    private void found(String problem) {
        log.error("cluster {} region {}: {}", clusterId, regionId, problem);
        if (problems.size() < PROBLEMS_MAX) {
            problems.add(problem);
        }
    }
}
