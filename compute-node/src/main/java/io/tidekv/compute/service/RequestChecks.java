package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvError.Route;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.LeaderInfo;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.region.RegionShape;
import java.util.List;

/**
 * Checks a request's routing in TiKV's order: store, region, peer, term, version. The first that
 * does not fit is thrown as a {@link KvException}. Thread-safe.
 */
final class RequestChecks {
    /** TiKV's first term is above this one; ours begin at 1. */
    private static final long FIRST_TERM_OFFSET = 5;

    private final RegionAccess regions;
    private final Targets targets = new Targets();

    RequestChecks(RegionAccess regions) {
        this.regions = regions;
    }

    Target check(Context context) {
        long store = context.getPeer().getStoreId();
        if (store != regions.storeId()) {
            throw new KvException(
                    new KvError.StoreNotMatch(
                            store,
                            regions.storeId(),
                            "to store id " + store + ", mine " + regions.storeId()));
        }
        long id = context.getRegionId();
        Target target = targets.of(id, regions.region(id));
        long peer = context.getPeer().getId();
        if (peer != target.shape().getPeerId()) {
            throw new KvException(
                    new KvError.PeerNotMatch(
                            peer,
                            target.shape().getPeerId(),
                            "mismatch peer id " + peer + " != " + target.shape().getPeerId()));
        }
        long term = context.getTerm();
        if (term != 0 && term + 1 < target.region().term() + FIRST_TERM_OFFSET) {
            throw new KvException(new KvError.StaleCommand("stale command"));
        }
        checkVersion(target, context.getRegionEpoch().getVersion());
        return target;
    }

    /** What a split request is checked for: region and the whole epoch. */
    Target checkSplit(Context context) {
        Target target = Target.of(regions.region(context.getRegionId()));
        RegionEpoch epoch = context.getRegionEpoch();
        if (epoch.getConfVer() != target.shape().getConfVer()) {
            throw epochNotMatch(target, epoch.getVersion());
        }
        checkVersion(target, epoch.getVersion());
        return target;
    }

    /** Whether this store leads the region just as somebody believes. */
    boolean isLeader(LeaderInfo believed) {
        try {
            Region region = regions.region(believed.getRegionId());
            RegionShape shape = region.shape();
            RegionEpoch epoch = believed.getRegionEpoch();
            return believed.getPeerId() == shape.getPeerId()
                    && believed.getTerm() == region.term() + FIRST_TERM_OFFSET
                    && epoch.getVersion() == shape.getVersion()
                    && epoch.getConfVer() == shape.getConfVer();
        } catch (KvException e) {
            return false;
        }
    }

    private void checkVersion(Target target, long version) {
        if (version != target.version()) {
            throw epochNotMatch(target, version);
        }
    }

    private KvException epochNotMatch(Target target, long version) {
        List<Route> current = regions.siblings(target.region(), version);
        if (current.isEmpty()) {
            current = List.of(new Route(target.shape(), regions.storeId()));
        }
        return new KvException(
                new KvError.EpochNotMatch(
                        current,
                        "EpochNotMatch current epoch of region "
                                + target.shape().getRegionId()
                                + " is conf_ver: "
                                + target.shape().getConfVer()
                                + " version: "
                                + target.shape().getVersion()));
    }

    /** Throws KeyNotInRegion unless the region holds the key. */
    static void checkKey(Target target, ByteString key) {
        if (!target.bounds().contains(key.toByteArray())) {
            throw keyNotInRegion(target, key);
        }
    }

    /** Throws KeyNotInRegion unless the region holds the start of a range. */
    static void checkStart(Target target, byte[] start) {
        if (!target.bounds().contains(start)) {
            throw keyNotInRegion(target, UnsafeByteOperations.unsafeWrap(start));
        }
    }

    static KvException keyNotInRegion(Target target, ByteString key) {
        return new KvException(
                new KvError.KeyNotInRegion(
                        key,
                        target.shape(),
                        "a key of the request is not in region "
                                + target.shape().getRegionId()
                                + ": look the region up again"));
    }
}
