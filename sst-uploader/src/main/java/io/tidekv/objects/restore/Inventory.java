package io.tidekv.objects.restore;

import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
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
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is in a cluster's part of the object store. Belongs to one thread. */
final class Inventory {
    private final ObjectStore cluster;
    private final long clusterId;
    private final Map<String, Long> lengths = new HashMap<>();
    private final Map<Long, Long> terms = new HashMap<>();
    private final Map<ObjectRef, Long> records = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private @Nullable List<Candidate> loaded;
    private long newestId;
    private long newestIncarnation;
    private long newestMillis;

    private Inventory(ObjectStore cluster, long clusterId) {
        this.cluster = cluster;
        this.clusterId = clusterId;
    }

    static Inventory of(ObjectStore cluster, long clusterId) {
        Inventory all = new Inventory(cluster, clusterId);
        for (String prefix :
                List.of(ObjectKeys.SST_PREFIX, ObjectKeys.RECORD_PREFIX, ObjectKeys.PACK_PREFIX)) {
            cluster.forEach(prefix, all::add);
        }
        return all;
    }

    private void add(ObjectInfo info) {
        newestMillis = Math.max(newestMillis, info.modifiedMillis());
        lengths.put(info.name(), info.length());
        ObjectKeys.Parts parts = ObjectKeys.parse(info.name());
        if (parts != null) {
            seen(parts.regionId(), parts.term());
            if (parts.record()) {
                ObjectRef.Builder ref =
                        ObjectRef.newBuilder().setKey(info.name()).setLength(info.length());
                records.put(ref.build(), info.modifiedMillis());
            }
        } else if (ObjectKeys.isPack(info.name())) {
            pack(info);
        }
    }

    private void pack(ObjectInfo info) {
        String[] maker = info.name().split("[/-]", -1);
        try {
            newestId = Math.max(newestId, Long.parseLong(maker[1]));
            newestIncarnation = Math.max(newestIncarnation, Long.parseLong(maker[2]));
            for (PackCodec.Member member : PackCodec.members(cluster, info.name(), info.length())) {
                seen(member.region(), member.term());
                if (member.kind() == PackCodec.Kind.RECORD) {
                    records.put(RecordNames.ref(info.name(), member), info.modifiedMillis());
                }
            }
        } catch (RecordDamaged | NumberFormatException | IndexOutOfBoundsException e) {
            problems.add(String.valueOf(e.getMessage()));
        } catch (ObjectStoreException e) {
            damaged(e);
        }
    }

    private void damaged(ObjectStoreException e) {
        if (e.kind() != Kind.CORRUPT && e.kind() != Kind.NOT_FOUND) {
            throw e;
        }
        problems.add(String.valueOf(e.getMessage()));
    }

    private void seen(long region, long term) {
        newestId = Math.max(newestId, region);
        terms.merge(region, term, Math::max);
    }

    /**
     * The newest record of each region of which every object is there with its length. First
     * records of plans that nobody has used are left out.
     *
     * @param untilMillis and so are records that were stored later
     */
    Collection<Candidate> newest(ArchiveReader archive, long untilMillis) {
        List<Candidate> all = all();
        Map<Long, Candidate> newest = new LinkedHashMap<>();
        UnusedPlans.without(
                        all,
                        (region, log) ->
                                archive.logs(region).stream().anyMatch(l -> l.logId() == log))
                .stream()
                .filter(candidate -> candidate.storedMillis() <= untilMillis)
                .forEach(
                        candidate ->
                                newest.merge(
                                        candidate.regionId(),
                                        candidate,
                                        (a, b) -> b.isNewerThan(a) ? b : a));
        return newest.values();
    }

    private List<Candidate> all() {
        List<Candidate> all = loaded;
        if (all == null) {
            all = new ArrayList<>();
            for (Map.Entry<ObjectRef, Long> record : records.entrySet()) {
                Candidate candidate = load(record.getKey(), record.getValue());
                if (candidate != null) {
                    all.add(candidate);
                }
            }
            loaded = all;
        }
        return all;
    }

    /** Whether a record tells of a region that has become part of another, or was to. */
    boolean hasMerges() {
        return all().stream().anyMatch(Candidate::hasMerged);
    }

    /** No id, term or timestamp of the new cluster may have been seen in the archive of the log. */
    void see(ArchiveReader archive) {
        for (List<ArchivePart> parts : archive.parts().values()) {
            for (ArchivePart part : parts) {
                newestMillis = Math.max(newestMillis, part.storedMillis());
                newestMillis = Math.max(newestMillis, part.lastMillis());
                part.regions().forEach(slice -> seen(slice.regionId(), slice.commitTerm()));
            }
        }
        problems.addAll(archive.problems());
    }

    /** What could not be used has another reason, too. */
    void problem(String text) {
        problems.add(text);
    }

    /** Null, and a problem, when it cannot be used. */
    @Nullable Candidate load(ObjectRef ref, long storedMillis) {
        String name = RecordNames.of(ref);
        try {
            TabletRecord record = RecordCodec.decode(name, RecordCodec.read(cluster, ref));
            if (record.getClusterId() != clusterId) {
                problems.add(name + " belongs to another cluster");
                return null;
            }
            String missing = missing(record);
            if (missing.isEmpty()) {
                return new Candidate(record, ref, storedMillis);
            }
            if (!ObjectKeys.isPack(ref.getKey())) {
                problems.add(name + " names " + missing + ", which is not there");
            }
        } catch (RecordDamaged e) {
            problems.add(String.valueOf(e.getMessage()));
        } catch (ObjectStoreException e) {
            damaged(e);
        }
        return null;
    }

    private String missing(TabletRecord record) {
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            for (SstFile file : family.getFilesList()) {
                ObjectRef ref = file.getObject();
                long there = lengths.computeIfAbsent(ref.getKey(), this::lengthElsewhere);
                if (there < ref.getOffset() + ref.getLength()) {
                    return ref.getKey();
                }
            }
        }
        return "";
    }

    /** Of an object that is not among the cluster's own; -1: there is none. */
    private long lengthElsewhere(String key) {
        ObjectInfo info = ObjectKeys.isForeign(key) ? cluster.head(key) : null;
        return info == null ? -1 : info.length();
    }

    /** When a record was stored; 0 when it is not there. */
    long storedMillis(ObjectRef record) {
        for (Map.Entry<ObjectRef, Long> entry : records.entrySet()) {
            if (RecordNames.of(entry.getKey()).equals(RecordNames.of(record))) {
                return entry.getValue();
            }
        }
        return 0;
    }

    boolean isEmpty() {
        return records.isEmpty();
    }

    /** The highest term seen in the name of anything of a region. */
    long newestTerm(long region) {
        return terms.getOrDefault(region, 0L);
    }

    long newestId() {
        return newestId;
    }

    long newestIncarnation() {
        return newestIncarnation;
    }

    /** Date of the newest object. */
    long newestMillis() {
        return newestMillis;
    }

    /** What could not be used. */
    List<String> problems() {
        return List.copyOf(problems);
    }
}
