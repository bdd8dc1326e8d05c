package io.tidekv.pd.core;

import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.RegionShape;
import java.util.List;

/**
 * Takes a committed merge into the table: the source is gone, for good, and its range the target's,
 * in one step. From then on no term is issued for the source. Reports may be repeated, and may come
 * from a later owner of the target.
 */
final class MergeRules {
    private final RegionTable regions;

    MergeRules(RegionTable regions) {
        this.regions = regions;
    }

    /** The target; empty when the source is known to be gone. */
    List<RegionEntry> record(ReportMergeRequest report) {
        long sourceId = report.getSource().getShape().getRegionId();
        long targetId = report.getTarget().getRegionId();
        RegionEntry source = regions.get(sourceId);
        if (source == null) {
            return List.of();
        }
        RegionEntry target = regions.get(targetId);
        if (target == null) {
            throw new CommandRefused(FailureKind.NOT_FOUND, "region %d not found", targetId);
        }
        RegionShape was = target.getShape();
        RegionShape gone = source.getShape();
        RegionShape is = report.getTarget();
        boolean left = meets(gone, was);
        RegionShape first = left ? gone : was;
        RegionShape last = left ? was : gone;
        if ((!left && !meets(was, gone))
                || !is.getStartKey().equals(first.getStartKey())
                || !is.getEndKey().equals(last.getEndKey())
                || is.getVersion() <= Math.max(was.getVersion(), gone.getVersion())) {
            throw new CommandRefused(
                    FailureKind.STALE,
                    "regions %d and %d do not make what was reported: report what came before",
                    sourceId,
                    targetId);
        }
        RegionEntry merged =
                target.toBuilder()
                        .setShape(
                                was.toBuilder()
                                        .setStartKey(is.getStartKey())
                                        .setEndKey(is.getEndKey())
                                        .setVersion(is.getVersion()))
                        .build();
        regions.absorb(merged, sourceId);
        return List.of(merged);
    }

    private static boolean meets(RegionShape left, RegionShape right) {
        return !left.getEndKey().isEmpty() && left.getEndKey().equals(right.getStartKey());
    }
}
