package io.tidekv.objects.archive;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The entries of a log that are certainly committed, each with all its copies. */
final class ProvenLog {
    private final long regionId;
    private final TreeMap<Long, List<Copy>> byIndex = new TreeMap<>();

    ProvenLog(long regionId) {
        this.regionId = regionId;
    }

    void add(Copy copy) {
        List<Copy> copies = byIndex.computeIfAbsent(copy.index(), index -> new ArrayList<>(3));
        if (!copies.isEmpty() && !copies.get(0).isSameEntry(copy)) {
            throw new ArchiveException(
                    ArchiveException.Kind.CONTRADICTION,
                    "region "
                            + regionId
                            + ": entry "
                            + copy.index()
                            + " is not the same in "
                            + copies.get(0).object()
                            + " (term "
                            + copies.get(0).term()
                            + ") and "
                            + copy.object()
                            + " (term "
                            + copy.term()
                            + "), and both seem committed");
        }
        copies.add(copy);
    }

    boolean isEmpty() {
        return byIndex.isEmpty();
    }

    long first() {
        return byIndex.firstKey();
    }

    long last() {
        return byIndex.lastKey();
    }

    /** The indexes of the entries of a kind, in order. */
    List<Long> ofKind(int kind) {
        return byIndex.entrySet().stream()
                .filter(entry -> entry.getValue().get(0).kind() == kind)
                .map(Map.Entry::getKey)
                .toList();
    }

    /** All copies of an entry; none when there is no such entry. */
    List<Copy> copies(long index) {
        return byIndex.getOrDefault(index, List.of());
    }
}
