package io.tidekv.pd.core;

import com.google.protobuf.ByteString;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import io.tidekv.proto.region.SplitOrigin;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes a committed split into the table. Reports may be repeated, may come from a later owner of
 * the parent, and one report may tell of several splits; each child is cut off an edge of what PD
 * holds for the parent, so that there is never a hole or an overlap.
 */
final class SplitRules {
    private final RegionTable regions;
    private final Ids ids;

    SplitRules(RegionTable regions, Ids ids) {
        this.regions = regions;
        this.ids = ids;
    }

    /** The parent and its new children; empty when all of them are known. */
    List<RegionEntry> record(ReportSplitRequest report) {
        long parentId = report.getParent().getRegionId();
        RegionEntry parent = regions.get(parentId);
        if (parent == null) {
            throw new CommandRefused(FailureKind.NOT_FOUND, "region %d not found", parentId);
        }
        List<RegionEntry> children = new ArrayList<>();
        for (SplitChild child : report.getChildrenList()) {
            if (regions.get(child.getShape().getRegionId()) == null
                    && !isGone(child.getShape(), parent.getShape())) {
                children.add(entry(child, parent));
            }
        }
        if (children.isEmpty()) {
            return List.of();
        }
        if (report.getParent().getVersion() < parent.getShape().getVersion()) {
            // What it tells of may have been merged away since.
            throw new CommandRefused(
                    FailureKind.STALE, "region %d has changed since: report anew", parentId);
        }
        long distinct = children.stream().map(c -> c.getShape().getRegionId()).distinct().count();
        if (distinct != children.size()) {
            throw new CommandRefused(FailureKind.INVALID, "a child of the split is listed twice");
        }
        children.sort((a, b) -> Keys.ORDER.compare(start(a), start(b)));
        RegionEntry rest = rest(parent, children, report.getParent());
        regions.carve(rest, children);
        List<RegionEntry> changed = new ArrayList<>(children);
        changed.add(rest);
        return changed;
    }

    /**
     * Whether the child has been taken from its parent already, so that it is part of a neighbour
     * now. A parent does not grow as long as it reports a child.
     */
    private static boolean isGone(RegionShape child, RegionShape parent) {
        boolean below =
                !child.getEndKey().isEmpty()
                        && !Keys.before(parent.getStartKey(), child.getEndKey());
        boolean above =
                !parent.getEndKey().isEmpty()
                        && !Keys.before(child.getStartKey(), parent.getEndKey());
        return below || above;
    }

    private RegionEntry entry(SplitChild child, RegionEntry parent) {
        RegionShape shape = child.getShape();
        long id = shape.getRegionId();
        if (!ids.known(id)
                || !ids.known(shape.getPeerId())
                || !ids.known(child.getFirstOwner().getStoreId())
                || !ids.incarnationKnown(child.getFirstOwner().getIncarnation())
                || child.getFirstTerm() == 0
                || (!shape.getEndKey().isEmpty()
                        && !Keys.before(shape.getStartKey(), shape.getEndKey()))
                || child.getConfig().getWalIdsCount() == 0) {
            throw new CommandRefused(
                    FailureKind.INVALID, "child %d of the split was not prepared by PD", id);
        }
        return RegionEntry.newBuilder()
                .setShape(shape)
                .setTerm(child.getFirstTerm())
                .setOwner(child.getFirstOwner())
                .setConfig(child.getConfig())
                .setOrigin(
                        Origin.newBuilder()
                                .setSplit(
                                        SplitOrigin.newBuilder()
                                                .setParentRegionId(parent.getShape().getRegionId())
                                                .setSplitIndex(child.getSplitIndex())
                                                .setFirstRecord(child.getFirstRecord())))
                .build();
    }

    /** What is left of the parent. The children, in key order, lie at its left or right edge. */
    private static RegionEntry rest(
            RegionEntry parent, List<RegionEntry> children, RegionShape reported) {
        RegionShape was = parent.getShape();
        ByteString left = was.getStartKey();
        int i = 0;
        while (i < children.size() && start(children.get(i)).equals(left)) {
            left = children.get(i++).getShape().getEndKey();
            requireInside(left, was);
        }
        ByteString right = was.getEndKey();
        for (int j = children.size() - 1; j >= i; j--) {
            RegionShape child = children.get(j).getShape();
            if (!child.getEndKey().equals(right) || !Keys.before(left, child.getStartKey())) {
                throw new CommandRefused(
                        FailureKind.STALE,
                        "region %d: report the earlier splits first",
                        was.getRegionId());
            }
            right = child.getStartKey();
        }
        boolean agrees = left.equals(reported.getStartKey()) && right.equals(reported.getEndKey());
        long version = agrees ? reported.getVersion() : 0;
        for (RegionEntry child : children) {
            version = agrees ? version : Math.max(version, child.getShape().getVersion());
        }
        return parent.toBuilder()
                .setShape(
                        was.toBuilder()
                                .setStartKey(left)
                                .setEndKey(right)
                                .setVersion(Math.max(was.getVersion(), version)))
                .build();
    }

    private static void requireInside(ByteString end, RegionShape parent) {
        if (end.isEmpty()
                || !Keys.before(parent.getStartKey(), end)
                || Keys.compareEnds(end, parent.getEndKey()) >= 0) {
            throw new CommandRefused(
                    FailureKind.STALE,
                    "region %d: a child lies outside of what PD knows of its parent",
                    parent.getRegionId());
        }
    }

    private static ByteString start(RegionEntry entry) {
        return entry.getShape().getStartKey();
    }
}
