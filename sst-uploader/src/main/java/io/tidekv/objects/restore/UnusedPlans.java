package io.tidekv.objects.restore;

import io.tidekv.objects.archive.LogIds;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.RestoreOrigin;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiPredicate;

/**
 * Leaves first records aside whose plan was thrown away: they may be of another moment than what is
 * wanted now. A plan has been used when a cluster that began with it has published something, or
 * has archived something, or has collected the older records of a region. Pure.
 */
final class UnusedPlans {
    private UnusedPlans() {}

    /**
     * The records that count.
     *
     * @param archived whether there is anything of the log (second) of the region (first)
     */
    static List<Candidate> without(
            Collection<Candidate> records, BiPredicate<Long, Long> archived) {
        Map<Long, Long> oldestTerms = new HashMap<>();
        for (Candidate record : records) {
            oldestTerms.merge(
                    record.regionId(),
                    record.record().getTerm(),
                    (a, b) -> Long.compareUnsigned(a, b) < 0 ? a : b);
        }
        Set<Long> used = new HashSet<>();
        for (Candidate record : records) {
            if (!isOfPlan(record)
                    || archived.test(record.regionId(), logOf(record))
                    || (begins(record) && isOldest(record, oldestTerms))) {
                used.add(record.plan());
            }
        }
        List<Candidate> counting = new ArrayList<>();
        for (Candidate record : records) {
            if (!isOfPlan(record) || used.contains(record.plan())) {
                counting.add(record);
            }
        }
        return counting;
    }

    private static boolean isOldest(Candidate record, Map<Long, Long> oldestTerms) {
        return Objects.equals(oldestTerms.get(record.regionId()), record.record().getTerm());
    }

    private static boolean isOfPlan(Candidate record) {
        return record.isFirstOfRestore() && record.plan() != 0;
    }

    /** Whether the region was there before: one that the plan has made never had older records. */
    private static boolean begins(Candidate record) {
        return record.origin().getRegionId() == record.regionId();
    }

    /** The log that begins with a first record of a plan. */
    static long logOf(Candidate first) {
        return LogIds.of(
                Origin.newBuilder()
                        .setRestore(RestoreOrigin.newBuilder().setFirstRecord(first.ref()))
                        .build());
    }
}
