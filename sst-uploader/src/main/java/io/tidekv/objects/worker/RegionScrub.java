package io.tidekv.objects.worker;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    private final Map<String, Set<String>> referrers = new HashMap<>();
    private final List<String> problems = new ArrayList<>();
    private String newest = "";
    private long newestTerm;
    private long newestSequence;
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

    /** What lies in this pack is not known. */
    void damagedPack(String problem) {
        damagedRecords++;
        found(problem);
    }

    /** Reads a record and remembers what it refers to. */
    void record(ObjectRef ref) {
        String name = RecordNames.of(ref);
        records++;
        try {
            byte[] frame = RecordCodec.read(cluster, ref);
            RecordCodec.Expected expected = new RecordCodec.Expected(clusterId, regionId);
            TabletRecord record = RecordCodec.decode(name, frame, expected);
            noteNewest(name, record);
            for (ColumnFamily family : record.getColumnFamiliesList()) {
                for (SstFile file : family.getFilesList()) {
                    ObjectRef object = file.getObject();
                    referred.putIfAbsent(RecordNames.of(object), object);
                    referrers
                            .computeIfAbsent(RecordNames.of(object), k -> new HashSet<>())
                            .add(name);
                }
            }
        } catch (RecordDamaged e) {
            damagedRecords++;
            found(String.valueOf(e.getMessage()));
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                // Collected since it was listed.
                records--;
                return;
            }
            if (e.kind() != Kind.CORRUPT) {
                throw e;
            }
            damagedRecords++;
            found(String.valueOf(e.getMessage()));
        }
    }

    private void noteNewest(String name, TabletRecord record) {
        int terms = Long.compareUnsigned(record.getTerm(), newestTerm);
        if (newest.isEmpty()
                || terms > 0
                || (terms == 0 && Long.compareUnsigned(record.getSequence(), newestSequence) > 0)) {
            newest = name;
            newestTerm = record.getTerm();
            newestSequence = record.getSequence();
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
        if (info == null && isCollected(ref)) {
            return;
        }
        if (info == null) {
            missingObjects++;
            found("object " + ref.getKey() + " is missing");
            return;
        }
        long end = ref.getOffset() + ref.getLength();
        boolean whole = ref.getOffset() == 0 && !ObjectKeys.isPack(ref.getKey());
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

    /**
     * Whether only records name it that are garbage themselves: those that are gone by now, for
     * they are deleted before what they name, and those that are only there because others in their
     * pack are needed.
     */
    private boolean isCollected(ObjectRef ref) {
        return referrers.getOrDefault(RecordNames.of(ref), Set.of()).stream()
                .noneMatch(this::isNeeded);
    }

    private boolean isNeeded(String record) {
        return ObjectKeys.isPack(record) ? record.equals(newest) : cluster.head(record) != null;
    }

    private void found(String problem) {
        log.error("cluster {} region {}: {}", clusterId, regionId, problem);
        if (problems.size() < PROBLEMS_MAX) {
            problems.add(problem);
        }
    }
}
