package io.tidekv.objects.archive;

import java.util.Map;
import java.util.TreeMap;

/**
 * Entries of one log of which some node knew that they are committed: of each term the highest. A
 * term has one leader, which never takes back what it appended; so an entry of the same term that
 * lies before a committed one is committed too.
 */
final class CommitMarks {
    private final TreeMap<Long, Long> highestByTerm = new TreeMap<>();

    void add(long index, long term) {
        if (index > 0) {
            highestByTerm.merge(term, index, Math::max);
        }
    }

    /** Whether the entry is certainly committed; one that is not may be so nevertheless. */
    boolean covers(long index, long term) {
        Long highest = highestByTerm.get(term);
        return highest != null && index <= highest;
    }

    /** The highest index that is known to be committed; 0 when none is. */
    long highest() {
        return highestByTerm.values().stream().mapToLong(Long::longValue).max().orElse(0);
    }

    /** Terms of a log ascend; marks that do not are of two logs. */
    void check(long regionId) {
        long last = 0;
        for (Map.Entry<Long, Long> mark : highestByTerm.entrySet()) {
            if (mark.getValue() <= last) {
                throw new ArchiveException(
                        ArchiveException.Kind.CONTRADICTION,
                        "region "
                                + regionId
                                + ": entry "
                                + mark.getValue()
                                + " of term "
                                + mark.getKey()
                                + " and entry "
                                + last
                                + " of an earlier term are both said to be committed");
            }
            last = mark.getValue();
        }
    }
}
