package io.tidekv.pd.routing;

import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.RegionShape;
import org.jspecify.annotations.Nullable;

/**
 * A region, and what its owner last said of it.
 *
 * @param report at the present term; null when the owner has not reported yet
 * @param leading the owner serves the region
 */
public record Located(RegionEntry entry, @Nullable RegionReport report, boolean leading) {
    public long id() {
        return entry.getShape().getRegionId();
    }

    /** As clients know it: one peer, on the owning store. */
    public Region region() {
        RegionShape shape = entry.getShape();
        return Region.newBuilder()
                .setId(shape.getRegionId())
                .setStartKey(shape.getStartKey())
                .setEndKey(shape.getEndKey())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setConfVer(shape.getConfVer())
                                .setVersion(shape.getVersion()))
                .addPeers(peer())
                .setIsInFlashback(flashbackStartTs() != 0)
                .setFlashbackStartTs(flashbackStartTs())
                .build();
    }

    private long flashbackStartTs() {
        return report == null ? 0 : report.getFlashbackStartTs();
    }

    public Peer peer() {
        return Peer.newBuilder()
                .setId(entry.getShape().getPeerId())
                .setStoreId(entry.getOwner().getStoreId())
                .build();
    }

    /**
     * Whom clients are to ask: the only peer, before it leads too. A client that is told of no
     * leader may remember that for good (the Python client does), while all of them come back from
     * a store that does not lead yet.
     */
    public Peer leader() {
        return peer();
    }
}
