package io.tidekv.objects.archive;

import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Deletes what is too old from the archive: of each node its oldest parts, in order. */
public final class ArchivePruner {
    private static final int PAGE = 1000;

    private ArchivePruner() {}

    /** The nodes that have shipped anything. */
    public static List<UUID> nodes(ObjectStore cluster) {
        List<UUID> nodes = new ArrayList<>();
        String after = "";
        while (true) {
            List<ObjectInfo> next = cluster.list(ArchiveNames.PREFIX, after, 1);
            if (next.isEmpty()) {
                return nodes;
            }
            String name = next.get(0).name();
            ArchiveNames.Place place = ArchiveNames.parse(name);
            after = name;
            if (place != null) {
                nodes.add(place.node());
                // Behind all names of the node: '0' follows '/'.
                after = ArchiveNames.PREFIX + place.node() + "0";
            }
        }
    }

    /** Date of the newest part, by the store's clock; 0 when there is none. */
    public static long newestMillis(ObjectStore cluster) {
        long newest = 0;
        String after = "";
        List<ObjectInfo> page;
        do {
            page = cluster.list(ArchiveNames.PREFIX, after, PAGE);
            for (ObjectInfo object : page) {
                newest = Math.max(newest, object.modifiedMillis());
                after = object.name();
            }
        } while (page.size() == PAGE);
        return newest;
    }

    /**
     * The parts of {@code node} that were stored before {@code cutoffMillis} by the store's clock,
     * and before the first that was not; deletes them unless {@code dryRun}.
     */
    public static List<ObjectInfo> prune(
            ObjectStore cluster, UUID node, long cutoffMillis, boolean dryRun) {
        List<ObjectInfo> old = new ArrayList<>();
        String after = "";
        List<ObjectInfo> page;
        do {
            page = cluster.list(ArchiveNames.node(node), after, PAGE);
            for (ObjectInfo object : page) {
                if (object.modifiedMillis() >= cutoffMillis) {
                    return old;
                }
                if (!dryRun) {
                    cluster.delete(object.name());
                }
                old.add(object);
                after = object.name();
            }
        } while (page.size() == PAGE);
        return old;
    }
}
