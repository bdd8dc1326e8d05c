package io.tidekv.objects.gc;

import io.tidekv.objects.gc.Bucket.Pack;
import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.DeletionLists.DeletionList;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.StoreContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Collects the garbage of one cluster, a cycle per call. Keeps nothing that a crash could lose, and
 * any number of collectors may work on one cluster. Belongs to one thread.
 */
public final class Collector {
    private final ObjectStore cluster;
    private final ClusterRoots roots;
    private final HeldRecords held;
    private final GcOptions options;
    private final StoreContext context;
    private final Bucket bucket;
    private final RecordReader reader;
    private final DeletionLists lists;

    /**
     * @param cluster the cluster's view of the object store
     * @param held what backups hold, read anew each time
     */
    public Collector(
            ObjectStore cluster,
            ClusterRoots roots,
            HeldRecords held,
            GcOptions options,
            StoreContext context) {
        this.cluster = cluster;
        this.roots = roots;
        this.held = held;
        this.options = options;
        this.context = context;
        this.bucket = new Bucket(cluster);
        this.reader = new RecordReader(cluster);
        this.lists = new DeletionLists(cluster, context.randomness());
    }

    /**
     * One cycle. Throws {@link CollectionStopped} or {@link
     * io.tidekv.objects.store.ObjectStoreException} when it could not get to its end; what it has
     * deleted by then was dead.
     *
     * @param dryRun finds, and writes and deletes nothing
     */
    public CollectReport run(boolean dryRun) throws InterruptedException {
        long started = context.clock().wallMillis();
        List<DeletionList> old = dryRun ? List.of() : lists.read();
        // Dates what follows: only who has waited for longer is deleted in this cycle.
        DeletionList begin = old.isEmpty() ? null : lists.write(List.of());
        List<ObjectInfo> files = bucket.list(ObjectKeys.SST_PREFIX);
        List<Pack> packs = bucket.packs();
        Cut cut = roots.read();
        Set<String> kept = held.read(begin == null ? Long.MAX_VALUE : begin.modifiedMillis());
        List<ObjectInfo> records = bucket.list(ObjectKeys.RECORD_PREFIX);
        Marking.Listing listing = new Marking.Listing(files, packs, records, bucket.packs());
        Garbage garbage = new Marking(cut, listing, kept, reader, options).find();
        Set<String> present = new HashSet<>();
        files.forEach(info -> present.add(info.name()));
        packs.forEach(pack -> present.add(pack.info().name()));
        records.forEach(info -> present.add(info.name()));
        CollectReport report =
                dryRun
                        ? CollectReport.of(garbage, true, 0, 0, 0)
                        : sweep(garbage, present, old, begin);
        return report.at(started, context.clock().wallMillis());
    }

    private CollectReport sweep(
            Garbage garbage,
            Set<String> present,
            List<DeletionList> old,
            @Nullable DeletionList begin)
            throws InterruptedException {
        Map<String, ObjectInfo> dead = new LinkedHashMap<>();
        garbage.dead().forEach(info -> dead.put(info.name(), info));
        Map<String, Long> listedAt = new HashMap<>();
        for (DeletionList list : old) {
            list.names().forEach(name -> listedAt.merge(name, list.modifiedMillis(), Math::min));
        }
        List<String> fresh = new ArrayList<>();
        for (String name : dead.keySet()) {
            if (!listedAt.containsKey(name) && fresh.size() < DeletionLists.NAMES_MAX) {
                fresh.add(name);
            }
        }
        if (!fresh.isEmpty()) {
            lists.write(fresh);
        }
        Deletion deletion = new Deletion();
        if (begin != null) {
            long due = begin.modifiedMillis() - options.grace().toMillis();
            for (Map.Entry<String, ObjectInfo> entry : dead.entrySet()) {
                Long at = listedAt.get(entry.getKey());
                if (at != null && at <= due) {
                    deletion.delete(entry.getValue());
                }
            }
            present.removeAll(deletion.gone);
            for (DeletionList list : old) {
                if (list.names().stream().noneMatch(present::contains)) {
                    lists.delete(list);
                }
            }
            lists.delete(begin);
        }
        return CollectReport.of(garbage, false, fresh.size(), deletion.gone.size(), deletion.bytes);
    }

    /** Deletes at a limited rate. */
    private final class Deletion {
        private final Set<String> gone = new HashSet<>();
        private long bytes;

        void delete(ObjectInfo info) throws InterruptedException {
            cluster.delete(info.name());
            gone.add(info.name());
            bytes += info.length();
            context.sleeper().sleep(Duration.ofNanos(1_000_000_000L / options.deletesPerSecond()));
        }
    }
}
