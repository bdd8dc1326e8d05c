package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.metapb.RegionEpoch;

/**
 * Where a region is served, as far as the client knows.
 *
 * @param leader without a store when nobody serves the region at present
 * @param address host:port of the store; empty when there is none
 */
record Route(Region region, Peer leader, String address) {
    boolean contains(ByteString key) {
        return compare(region.getStartKey(), key) <= 0
                && (region.getEndKey().isEmpty() || compare(key, region.getEndKey()) < 0);
    }

    /** Whether anybody serves the region. */
    boolean isServed() {
        return leader.getStoreId() != 0;
    }

    /** Whether this is a later state of the same region than {@code other}. */
    boolean isNewerThan(Route other) {
        RegionEpoch mine = region.getRegionEpoch();
        RegionEpoch its = other.region.getRegionEpoch();
        return region.getId() == other.region.getId()
                && mine.getVersion() >= its.getVersion()
                && mine.getConfVer() >= its.getConfVer()
                && !mine.equals(its);
    }

    Context context() {
        return Context.newBuilder()
                .setRegionId(region.getId())
                .setRegionEpoch(region.getRegionEpoch())
                .setPeer(leader)
                .build();
    }

    static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }
}
