package io.tidekv.compute.tablet;

import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.manifest.JoinedFiles;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.List;

/** Records of a region that has taken over its neighbour. */
public final class MergeRecords {
    /** Older events than this many are forgotten: they are for whoever looks into a record. */
    private static final int LINEAGE_MAX = 32;

    private MergeRecords() {}

    /**
     * The target's record with the source's files. Both are drafts whose files end where the two
     * regions meet. What has been applied, and all else but the files and the shape, is the
     * target's.
     *
     * @param merged the target's shape afterwards
     */
    public static TabletRecord join(TabletRecord target, TabletRecord source, RegionShape merged) {
        RegionShape one = target.getShape();
        RegionShape other = source.getShape();
        boolean left = meets(other, one);
        Invariants.check(
                left || meets(one, other),
                "regions %s and %s are no neighbours",
                one.getRegionId(),
                other.getRegionId());
        RegionShape first = left ? other : one;
        RegionShape last = left ? one : other;
        Invariants.check(
                merged.getRegionId() == one.getRegionId()
                        && merged.getStartKey().equals(first.getStartKey())
                        && merged.getEndKey().equals(last.getEndKey()),
                "region %s is not the two merged",
                merged.getRegionId());
        List<Lineage> lineage = new ArrayList<>(target.getLineageList());
        // Whoever collects garbage goes by this: what had become part of the source is gone too.
        source.getLineageList().stream().filter(MergeRecords::isMerge).forEach(lineage::add);
        lineage.add(
                Lineage.newBuilder()
                        .setRegionId(other.getRegionId())
                        .setIndex(source.getAppliedIndex())
                        .setEvent("merge")
                        .build());
        return JoinedFiles.join(target, source).toBuilder()
                .setShape(merged)
                .clearLineage()
                .addAllLineage(
                        lineage.subList(Math.max(0, lineage.size() - LINEAGE_MAX), lineage.size()))
                .build();
    }

    private static boolean isMerge(Lineage lineage) {
        return lineage.getEvent().equals("merge");
    }

    /** Whether {@code right} begins where {@code left} ends. */
    public static boolean meets(RegionShape left, RegionShape right) {
        return !left.getEndKey().isEmpty() && left.getEndKey().equals(right.getStartKey());
    }

    /** Whether the ranges touch, so that the two can be one. */
    public static boolean areNeighbours(RegionShape one, RegionShape other) {
        return meets(one, other) || meets(other, one);
    }

    /** The target's shape after the merge: both ranges, and a version above both. */
    public static RegionShape merged(RegionShape target, RegionShape source) {
        boolean left = meets(source, target);
        RegionShape first = left ? source : target;
        RegionShape last = left ? target : source;
        return target.toBuilder()
                .setStartKey(first.getStartKey())
                .setEndKey(last.getEndKey())
                .setVersion(Math.max(target.getVersion(), source.getVersion()) + 1)
                .build();
    }
}
