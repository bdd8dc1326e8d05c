package io.tidekv.objects.gc;

import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.util.List;

/**
 * What a marking has found.
 *
 * @param dead objects, in the order in which they are to be deleted: records, packs, table files
 * @param liveRecords how many are needed, or not known to be dead
 * @param liveFiles likewise, objects of table files and packs
 * @param liveBytes of these objects
 * @param packedBytes of dead members in packs that are not dead
 * @param inFlight files that no record names and that their owner may still publish
 * @param unsettled regions of which nothing is known, so that all of their records count
 */
record Garbage(
        List<ObjectInfo> dead,
        int liveRecords,
        int liveFiles,
        long liveBytes,
        long packedBytes,
        int inFlight,
        int unsettled) {
    long bytes() {
        return dead.stream().mapToLong(ObjectInfo::length).sum();
    }
}
