package io.tidekv.sim;

import io.tidekv.proto.region.Entry;
import io.tidekv.wal.core.MemoryVoterStorage;
import java.util.List;

/** Questions about what would be left after the worst crash. */
final class Durable {
    private Durable() {}

    static boolean holds(MemoryVoterStorage records, long regionId, long index, long term) {
        long base = records.durableMeta(regionId).getSnapshot().getIndex();
        if (index <= base) {
            return true;
        }
        List<Entry> entries = records.durableEntries(regionId);
        int at = (int) (index - base - 1);
        return at < entries.size() && entries.get(at).getTerm() == term;
    }
}
