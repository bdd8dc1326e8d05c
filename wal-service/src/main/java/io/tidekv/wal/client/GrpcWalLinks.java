package io.tidekv.wal.client;

import io.tidekv.common.Randomness;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.Hello;

/** Makes links of one compute process to WAL nodes over gRPC. Thread-safe. */
public final class GrpcWalLinks implements WalLink.Factory {
    /** Bytes of requests without a response that a link lets under way. */
    static final long BYTES_UNDER_WAY_MAX = 64L << 20;

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
        Hello hello =
                Hello.newBuilder().setClusterId(clusterId).setOwner(owner).setWalId(walId).build();
        GrpcWalLink link =
                new GrpcWalLink(
                        hello,
                        GrpcTransports.linkChannel(address).build(),
                        listener,
                        scheduler,
                        new BackOff(randomness.child()),
                        BYTES_UNDER_WAY_MAX);
        link.start();
        return link;
    }
}
