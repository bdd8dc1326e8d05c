package io.tidekv.objects.gc;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.pdpb.AllocIDRequest;
import io.tidekv.proto.pdpb.AllocIDResponse;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.region.Roots;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads the roots from the leader of PD. Between its two readings of the regions it has PD commit a
 * command (a new id): only a PD that still leads can, and what it answers next includes everything
 * that any PD had committed before. Blocking; belongs to one thread.
 */
public final class PdRoots implements ClusterRoots {
    private static final long TIMEOUT_SECONDS = 10;

    private final List<String> endpoints;

    /**
     * @param endpoints host:port of members of PD, separated by commas
     */
    public PdRoots(String endpoints) {
        this.endpoints =
                List.of(endpoints.split(",")).stream()
                        .map(HostPort::ofUrl)
                        .filter(endpoint -> !endpoint.isEmpty())
                        .toList();
    }

    /** The cluster that this PD belongs to. */
    public long clusterId() {
        return withLeader((channel, clusterId) -> clusterId);
    }

    @Override
    public Cut read() {
        return withLeader(PdRoots::read);
    }

    private static Cut read(ManagedChannel channel, long clusterId) {
        List<RegionInfo> reports = regions(channel);
        AllocIDRequest newId =
                AllocIDRequest.newBuilder()
                        .setHeader(RequestHeader.newBuilder().setClusterId(clusterId))
                        .build();
        AllocIDResponse allocated = pd(channel).allocID(newId);
        if (allocated.getHeader().hasError()) {
            throw new CollectionStopped("PD: " + allocated.getHeader().getError().getMessage());
        }
        return cut(allocated.getId(), reports, regions(channel));
    }

    /** What owners have reported, of the regions that there are. */
    static Cut cut(long newestId, List<RegionInfo> reports, List<RegionInfo> table) {
        Map<Long, RegionInfo> reported = new LinkedHashMap<>();
        reports.forEach(info -> reported.put(info.getShape().getRegionId(), info));
        Map<Long, RegionRoots> regions = new LinkedHashMap<>();
        for (RegionInfo info : table) {
            long id = info.getShape().getRegionId();
            regions.put(id, roots(id, info.getTerm(), reported.get(id)));
        }
        return new Cut(newestId, regions);
    }

    private static RegionRoots roots(long id, long term, @Nullable RegionInfo reported) {
        if (reported == null
                || reported.getTerm() != term
                || reported.getState() != RegionState.LEADING
                || !reported.hasRoots()) {
            return RegionRoots.unsettled(id, term);
        }
        Roots roots = reported.getRoots();
        return new RegionRoots(
                id,
                term,
                true,
                roots.hasRecord() ? roots.getRecord() : null,
                roots.getPinsList(),
                Set.copyOf(roots.getStraysList()),
                roots.hasUploadsSince() ? roots.getUploadsSince() : null);
    }

    private static List<RegionInfo> regions(ManagedChannel channel) {
        List<RegionInfo> regions =
                ClusterGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .listRegions(ListRegionsRequest.getDefaultInstance())
                        .getRegionsList();
        if (regions.isEmpty()) {
            throw new CollectionStopped("PD knows no regions: nothing can be told to be garbage");
        }
        return regions;
    }

    private interface LeaderCall<T> {
        T run(ManagedChannel channel, long clusterId);
    }

    private <T> T withLeader(LeaderCall<T> call) {
        StatusRuntimeException last = null;
        for (String endpoint : endpoints) {
            try {
                GetMembersResponse members = on(endpoint, PdRoots::members);
                if (members.getLeader().getClientUrlsCount() > 0) {
                    String leader = HostPort.ofUrl(members.getLeader().getClientUrls(0));
                    return on(
                            leader,
                            channel -> call.run(channel, members.getHeader().getClusterId()));
                }
            } catch (StatusRuntimeException e) {
                last = e;
            }
        }
        Status status = last == null ? Status.UNAVAILABLE : last.getStatus();
        throw new CollectionStopped(
                "PD at " + String.join(",", endpoints) + " does not answer: " + status);
    }

    private static GetMembersResponse members(ManagedChannel channel) {
        return pd(channel).getMembers(GetMembersRequest.getDefaultInstance());
    }

    private static PDGrpc.PDBlockingStub pd(ManagedChannel channel) {
        return PDGrpc.newBlockingStub(channel).withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    /** A channel per call: cycles are minutes apart. */
    private static <T> T on(String address, Function<ManagedChannel, T> call) {
        ManagedChannel channel = GrpcTransports.channel(address).build();
        try {
            return call.apply(channel);
        } finally {
            channel.shutdownNow();
        }
    }
}
