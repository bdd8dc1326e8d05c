package io.tidekv.wal.client;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.region.Owner;

/** Makes links of one compute process to WAL nodes over gRPC. Thread-safe. */
public final class GrpcWalLinks implements WalLink.Factory {
    private final long clusterId;
    private final Owner owner;
    private final Scheduler scheduler;
    private final Randomness randomness;

    /**
     * Links that say Hello as {@code owner} of cluster {@code clusterId}.
     *
     * @param scheduler for back-off between attempts to connect
     */
    public GrpcWalLinks(long clusterId, Owner owner, Scheduler scheduler, Randomness randomness) {
        this.clusterId = clusterId;
        this.owner = owner;
        this.scheduler = scheduler;
        this.randomness = randomness;
    }

    @Override
    public WalLink connect(long walId, String address, WalLink.Listener listener) {
        throw new UnsupportedOperationException(
                "under construction: "
                        + clusterId
                        + owner
                        + scheduler
                        + randomness.child().nextLong());
    }
}
