package io.tidekv.wal.archive;

import io.tidekv.objects.archive.LogIds;
import io.tidekv.objects.archive.PartBuilder;
import io.tidekv.proto.region.Origin;
import io.tidekv.wal.core.Committed;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What is known to be committed, and how much of it the archive says already. */
final class KnownCommits {
    /** What the archive says of a region. */
    private record Told(Origin origin, long logId, long index) {}

    private final Map<Long, Committed> known = new HashMap<>();
    private final Map<Long, Told> told = new HashMap<>();

    /** Takes the place of what was known before. */
    void learn(List<Committed> committed) {
        for (Committed each : committed) {
            known.put(each.regionId(), each);
        }
    }

    /** Adds what is known of the regions in the part. */
    void addKnown(PartBuilder part, Iterable<Long> regionIds) {
        for (long regionId : regionIds) {
            Committed committed = known.get(regionId);
            if (committed != null) {
                part.committed(regionId, logId(committed), committed.index(), committed.term());
            }
        }
    }

    /** Adds what is known and has not been told yet, of all regions. Returns those. */
    List<Committed> addNews(PartBuilder part) {
        List<Committed> news =
                known.values().stream()
                        .filter(
                                each -> {
                                    Told before = told.get(each.regionId());
                                    return before == null
                                            ? each.index() > 0
                                            : each.index() > before.index();
                                })
                        .toList();
        news.forEach(
                each -> part.committed(each.regionId(), logId(each), each.index(), each.term()));
        return news;
    }

    /** The part with these is in the store. */
    void told(List<Committed> news) {
        for (Committed each : news) {
            told.put(each.regionId(), new Told(each.origin(), logId(each), each.index()));
        }
    }

    private long logId(Committed committed) {
        Told before = told.get(committed.regionId());
        return before != null && before.origin().equals(committed.origin())
                ? before.logId()
                : LogIds.of(committed.origin());
    }
}
