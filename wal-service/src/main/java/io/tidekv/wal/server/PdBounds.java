package io.tidekv.wal.server;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.pdpb.AllocIDRequest;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.RepairBounds;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Asks PD what it has issued so far, for a node that may have forgotten some of it. PD commits an
 * id first: whoever has done that holds all that was issued before.
 */
final class PdBounds implements RepairBounds.Source {
    private static final int ROUNDS = 3;
    private static final long PATIENCE_MS = 5000;
    private static final int MESSAGE_BYTES_MAX = 256 << 20;

    private final List<String> endpoints;
    private final Supplier<NodeIdentity> identity;

    PdBounds(List<String> endpoints, Supplier<NodeIdentity> identity) {
        this.endpoints = endpoints;
        this.identity = identity;
    }

    @Override
    public RepairBounds ask() throws IOException {
        String problem = "no member is named";
        for (int round = 0; round < ROUNDS; round++) {
            for (String endpoint : endpoints) {
                ManagedChannel channel = GrpcTransports.channel(HostPort.ofUrl(endpoint)).build();
                try {
                    return ask(channel);
                } catch (StatusRuntimeException e) {
                    problem = endpoint + ": " + e.getStatus();
                } finally {
                    channel.shutdownNow();
                }
            }
        }
        throw new IOException(
                "the log is damaged, and for its repair PD has to say which terms it has issued,"
                        + " but does not answer ("
                        + problem
                        + "): start PD first");
    }

    private RepairBounds ask(ManagedChannel channel) {
        NodeIdentity self = identity.get();
        long id =
                PDGrpc.newBlockingStub(channel)
                        .withWaitForReady()
                        .withDeadlineAfter(PATIENCE_MS, TimeUnit.MILLISECONDS)
                        .allocID(
                                AllocIDRequest.newBuilder()
                                        .setHeader(
                                                RequestHeader.newBuilder()
                                                        .setClusterId(self.clusterId()))
                                        .build())
                        .getId();
        Map<Long, RepairBounds.Region> regions = new TreeMap<>();
        for (RegionInfo info :
                ClusterGrpc.newBlockingStub(channel)
                        .withMaxInboundMessageSize(MESSAGE_BYTES_MAX)
                        .withDeadlineAfter(PATIENCE_MS, TimeUnit.MILLISECONDS)
                        .listRegions(ListRegionsRequest.getDefaultInstance())
                        .getRegionsList()) {
            boolean here = info.getConfig().getWalIdsList().contains(self.walId());
            regions.put(
                    info.getShape().getRegionId(),
                    new RepairBounds.Region(
                            info.getTerm(), info.getOwner(), info.getConfig(), here));
        }
        return new RepairBounds(id, regions);
    }
}
