package io.tidekv.objects.backup;

import io.tidekv.proto.region.ObjectRef;
import java.util.List;

/** Where the states come from that a backup holds. */
@FunctionalInterface
public interface CutSource {
    /**
     * Blocking. Throws {@link io.tidekv.objects.gc.CollectionStopped} when it cannot be had.
     *
     * @param begins run before the first of the states is looked at: from then on none of them may
     *     be collected
     */
    Cut take(Runnable begins);

    /**
     * States of all regions as of one moment.
     *
     * @param ts every transaction that was committed at or below it has its lock or its commit
     *     record in each of the states that hold a key of it; later ones may be there, too
     * @param records they cover the key space; where two overlap, the one of the higher version of
     *     its shape counts
     */
    record Cut(long ts, List<ObjectRef> records) {
        public Cut {
            records = List.copyOf(records);
        }
    }
}
