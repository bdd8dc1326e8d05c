package io.tidekv.cli.playground;

import io.grpc.StatusRuntimeException;
import io.tidekv.cli.CliException;
import io.tidekv.cli.client.PdClient;
import io.tidekv.cli.server.OrderlyEnd;
import io.tidekv.cli.server.RoleKind;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.cluster.WalNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Waits until clients can read and write. */
final class Readiness {
    private static final double GIVE_UP_SECONDS = 120;
    private static final long POLL_MILLIS = 50;
    private static final long CALL_MILLIS = 5_000;

    private final Plan plan;
    private final RunningCluster cluster;
    private final Progress progress;
    private String said = "";

    /** What PD knows of a cluster that serves. */
    record Ready(ClusterStatusResponse status, List<StoreInfo> stores, List<WalNode> wal) {}

    Readiness(Plan plan, RunningCluster cluster, Progress progress) {
        this.plan = plan;
        this.cluster = cluster;
        this.progress = progress;
    }

    /**
     * Returns when every node is up and every region is served, or damaged beyond what a restart
     * mends; null when the end was asked for first.
     */
    @Nullable Ready await(OrderlyEnd end) {
        String waitingFor = "PD";
        try (PdClient pd = new PdClient(plan.pdEndpoints())) {
            while (!end.await(POLL_MILLIS)) {
                if (!cluster.failure().isEmpty()) {
                    throw new CliException(cluster.failure());
                } else if (progress.seconds() > GIVE_UP_SECONDS) {
                    throw new CliException(
                            "not ready after 120 s, still waiting for "
                                    + waitingFor
                                    + "; see the logs in "
                                    + plan.logDir());
                }
                try {
                    ClusterStatusResponse status =
                            pd.cluster(
                                    CALL_MILLIS,
                                    c ->
                                            c.clusterStatus(
                                                    ClusterStatusRequest.getDefaultInstance()));
                    waitingFor = missing(status);
                    if (waitingFor.isEmpty()) {
                        return details(pd, status);
                    }
                } catch (StatusRuntimeException e) {
                    waitingFor = "PD to answer";
                }
                say(waitingFor);
            }
            return null;
        }
    }

    private void say(String waitingFor) {
        if (!waitingFor.equals(said)) {
            said = waitingFor;
            progress.line("waiting for " + waitingFor);
        }
    }

    private String missing(ClusterStatusResponse status) {
        int wal = plan.roles(RoleKind.WAL).size();
        int compute = plan.roles(RoleKind.COMPUTE).size();
        if (status.getWalUp() < wal) {
            return "WAL nodes (" + status.getWalUp() + " of " + wal + ")";
        } else if (status.getStoresUp() < compute) {
            return "compute nodes (" + status.getStoresUp() + " of " + compute + ")";
        } else if (status.getRegions() == 0) {
            return "the first region";
        } else if (status.getRegionsServing() + status.getDamagedCount() < status.getRegions()) {
            return "regions ("
                    + status.getRegionsServing()
                    + " of "
                    + status.getRegions()
                    + " serve)";
        }
        return "";
    }

    private static Ready details(PdClient pd, ClusterStatusResponse status) {
        return new Ready(
                status,
                pd.cluster(CALL_MILLIS, c -> c.listStores(ListStoresRequest.getDefaultInstance()))
                        .getStoresList(),
                pd.cluster(CALL_MILLIS, c -> c.listWal(ListWalRequest.getDefaultInstance()))
                        .getNodesList());
    }
}
