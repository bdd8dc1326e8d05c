package io.tidekv.objects.gc;

import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** What records say, read once each: they never change. Belongs to one thread. */
final class RecordReader {
    private static final int KEPT_MAX = 50_000;

    /**
     * What matters of a record.
     *
     * @param files names of the table files, as {@link RecordNames#of}
     * @param splitFrom the region that it was split off, if it is a first record; else 0
     * @param merged regions that have become part of this one, the latest ones
     */
    record Content(Set<String> files, long term, long sequence, long splitFrom, Set<Long> merged) {}

    private final ObjectStore store;
    private final Map<String, Content> known =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Content> eldest) {
                    return size() > KEPT_MAX;
                }
            };

    RecordReader(ObjectStore store) {
        this.store = store;
    }

    /**
     * Throws {@link io.tidekv.objects.manifest.RecordDamaged} or {@link
     * io.tidekv.objects.store.ObjectStoreException}.
     */
    Content read(ObjectRef ref) {
        String name = RecordNames.of(ref);
        Content there = known.get(name);
        if (there != null) {
            return there;
        }
        TabletRecord record = RecordCodec.decode(name, RecordCodec.read(store, ref));
        Set<String> files = new LinkedHashSet<>();
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            for (SstFile file : family.getFilesList()) {
                files.add(RecordNames.of(file.getObject()));
            }
        }
        Content content =
                new Content(
                        Set.copyOf(files),
                        record.getTerm(),
                        record.getSequence(),
                        splitFrom(record),
                        merged(record));
        known.put(name, content);
        return content;
    }

    private static Set<Long> merged(TabletRecord record) {
        Set<Long> merged = new LinkedHashSet<>();
        for (Lineage lineage : record.getLineageList()) {
            if (lineage.getEvent().equals("merge")) {
                merged.add(lineage.getRegionId());
            }
        }
        return Set.copyOf(merged);
    }

    private static long splitFrom(TabletRecord record) {
        int last = record.getLineageCount() - 1;
        if (record.getSequence() != 0 || record.getAppliedIndex() != 0 || last < 0) {
            return 0;
        }
        Lineage lineage = record.getLineage(last);
        return lineage.getEvent().equals("split") ? lineage.getRegionId() : 0;
    }
}
