package io.tidekv.pd.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.ChildIds;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.Observation;
import io.tidekv.proto.pdstate.PrepareSplit;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.pdstate.TermOrder;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.RestoreOrigin;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How regions begin and change hands. Every method decides on one region and returns its entry. */
final class RegionRules {
    /** Children asked for at once; more is a mistake of the caller. */
    private static final int MAX_CHILDREN = 1024;

    private final RegionTable regions;
    private final StoreTable stores;
    private final WalTable walNodes;
    private final Ids ids;

    RegionRules(RegionTable regions, StoreTable stores, WalTable walNodes, Ids ids) {
        this.regions = regions;
        this.stores = stores;
        this.walNodes = walNodes;
        this.ids = ids;
    }

    /**
     * The first regions: those to be restored, or a single one. Empty when there are some already.
     */
    List<RegionEntry> bootstrap(Owner owner, List<Long> walIds, List<RestoredRegion> restoring) {
        if (!regions.isEmpty()) {
            return List.of();
        }
        requireCurrent(owner);
        requireVoters(walIds);
        List<RestoredRegion> begun = restoring.isEmpty() ? List.of(nothing(ids.take())) : restoring;
        List<RegionEntry> first = new ArrayList<>();
        for (RestoredRegion region : begun) {
            first.add(
                    RegionEntry.newBuilder()
                            .setShape(
                                    region.getShape().toBuilder()
                                            .setConfVer(region.getShape().getConfVer() + 1)
                                            .setPeerId(ids.take()))
                            .setTerm(region.getTerm())
                            .setOwner(owner)
                            .setConfig(
                                    VoterConfig.newBuilder().setGeneration(1).addAllWalIds(walIds))
                            .setOrigin(origin(region))
                            .build());
        }
        regions.begin(first);
        return first;
    }

    private static RestoredRegion nothing(long id) {
        return RestoredRegion.newBuilder()
                .setShape(RegionShape.newBuilder().setRegionId(id).setVersion(1))
                .setTerm(1)
                .build();
    }

    private static Origin origin(RestoredRegion region) {
        if (!region.hasFirstRecord()) {
            return Origin.newBuilder()
                    .setBootstrap(io.tidekv.proto.region.Bootstrap.getDefaultInstance())
                    .build();
        }
        return Origin.newBuilder()
                .setRestore(RestoreOrigin.newBuilder().setFirstRecord(region.getFirstRecord()))
                .build();
    }

    /** The entry with its next term, or null when the proposer's picture was old. */
    @Nullable RegionEntry issue(TermOrder order) {
        RegionEntry entry = regions.get(order.getRegionId());
        if (entry == null
                || entry.getTerm() != order.getExpectedTerm()
                || !stores.isCurrent(order.getOwner())) {
            return null;
        }
        RegionShape.Builder shape = entry.getShape().toBuilder();
        if (entry.getOwner().getStoreId() != order.getOwner().getStoreId()) {
            shape.setPeerId(ids.take()).setConfVer(shape.getConfVer() + 1);
        }
        RegionEntry next =
                entry.toBuilder()
                        .setShape(shape)
                        .setTerm(entry.getTerm() + 1)
                        .setOwner(order.getOwner())
                        .build();
        regions.update(next);
        return next;
    }

    /** The entry after what its owner has reported, or null when that changes nothing. */
    @Nullable RegionEntry observe(Observation seen) {
        RegionEntry entry = regions.get(seen.getRegionId());
        if (entry == null || entry.getTerm() != seen.getTerm()) {
            return null;
        }
        RegionEntry.Builder next = entry.toBuilder();
        if (seen.getServing()) {
            next.clearOrigin();
        }
        if (seen.getConfig().getGeneration() > entry.getConfig().getGeneration()
                && seen.getConfig().getWalIdsCount() > 0) {
            next.setConfig(seen.getConfig());
        }
        // A range that PD does not know yet comes with the report of its split, and not before:
        // until then the old range leads clients to the right store.
        RegionShape was = entry.getShape();
        RegionShape is = seen.getShape();
        if (is.getVersion() > was.getVersion()
                && is.getStartKey().equals(was.getStartKey())
                && is.getEndKey().equals(was.getEndKey())) {
            next.setShape(was.toBuilder().setVersion(is.getVersion()));
        }
        RegionEntry changed = next.build();
        if (changed.equals(entry)) {
            return null;
        }
        regions.update(changed);
        return changed;
    }

    /** Ids and first terms for the children of a split that the parent's owner prepares. */
    AskSplitResponse prepareSplit(PrepareSplit order) {
        AskSplitRequest request = order.getRequest();
        int children = request.getChildren();
        if (children < 1 || children > MAX_CHILDREN) {
            throw new CommandRefused(
                    FailureKind.INVALID, "cannot split into %d children at once", children);
        }
        long id = request.getParent().getRegionId();
        RegionEntry parent = regions.get(id);
        if (parent == null) {
            throw new CommandRefused(FailureKind.NOT_FOUND, "region %d not found", id);
        }
        requireCurrent(request.getOwner());
        if (!parent.getOwner().equals(request.getOwner())) {
            throw new CommandRefused(FailureKind.FENCED, "region %d has another owner by now", id);
        }
        order.getVotersList().forEach(v -> requireVoters(v.getWalIdsList()));
        List<ChildIds> made = new ArrayList<>();
        for (int i = 0; i < children; i++) {
            List<Long> voters =
                    i < order.getVotersCount()
                            ? order.getVoters(i).getWalIdsList()
                            : parent.getConfig().getWalIdsList();
            made.add(
                    ChildIds.newBuilder()
                            .setRegionId(ids.take())
                            .setPeerId(ids.take())
                            .setFirstTerm(1)
                            .setConfig(
                                    VoterConfig.newBuilder().setGeneration(1).addAllWalIds(voters))
                            .build());
        }
        return AskSplitResponse.newBuilder().addAllChildren(made).build();
    }

    private void requireVoters(List<Long> walIds) {
        if (walIds.isEmpty() || walIds.stream().distinct().count() != walIds.size()) {
            throw new CommandRefused(FailureKind.INVALID, "voters must be distinct WAL nodes");
        }
        for (long walId : walIds) {
            if (walNodes.get(walId) == null) {
                throw new CommandRefused(FailureKind.NOT_FOUND, "no WAL node %d", walId);
            }
        }
    }

    void requireCurrent(Owner owner) {
        if (!stores.isCurrent(owner)) {
            throw new CommandRefused(
                    FailureKind.FENCED,
                    "incarnation %d of store %d has been replaced",
                    owner.getIncarnation(),
                    owner.getStoreId());
        }
    }

    void checkInvariants() {
        for (RegionEntry entry : regions.all()) {
            Invariants.check(
                    ids.known(entry.getShape().getRegionId())
                            && ids.known(entry.getShape().getPeerId())
                            && stores.get(entry.getOwner().getStoreId()) != null
                            && ids.incarnationKnown(entry.getOwner().getIncarnation())
                            && entry.getTerm() > 0
                            && entry.getConfig().getWalIdsCount() > 0,
                    "region with unknown parts: %s",
                    entry);
        }
    }
}
