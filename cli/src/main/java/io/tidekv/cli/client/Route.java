package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;

/**
 * Where a region is served, as far as the client knows.
 *
 * @param address host:port of the store
 */
record Route(Region region, Peer leader, String address) {
    boolean contains(ByteString key) {
        return compare(region.getStartKey(), key) <= 0
                && (region.getEndKey().isEmpty() || compare(key, region.getEndKey()) < 0);
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
