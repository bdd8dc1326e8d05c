package io.tidekv.wal.server;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterGrpc.ClusterBlockingStub;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.RegisterWalResponse;
import io.tidekv.proto.cluster.WalHeartbeatRequest;
import io.tidekv.wal.storage.NodeIdentity;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's contact with PD: registers once per process, then sends heartbeats. All of it runs on
 * the scheduler's thread, which may block for the deadline of a call.
 */
final class PdMembership implements AutoCloseable {
    /** The node as PD deals with it. */
    interface Node {
        NodeIdentity identity();

        /** PD has registered the node; what is new in it is durable when this returns. */
        void registered(NodeIdentity identity) throws IOException;

        long regions();

        long segmentBytes();

        /** Regions that do not count here before they have caught up. */
        long learners();

        /** Called about once a second. */
        void beat();
    }

    private static final Logger log = LoggerFactory.getLogger(PdMembership.class);
    private static final Duration DEADLINE = Duration.ofSeconds(2);
    private static final Duration HEARTBEAT = Duration.ofSeconds(1);
    private static final long FIRST_PAUSE_MS = 50;

    private final List<String> endpoints;
    private final String address;
    private final String zone;
    private final Node node;
    private final Scheduler scheduler;
    private @Nullable ManagedChannel channel;
    private int next;
    private long pauseMs = FIRST_PAUSE_MS;
    private String lastProblem = "";
    private boolean done;
    private volatile boolean registered;
    private volatile boolean closed;
    private volatile String refusal = "";

    PdMembership(
            List<String> endpoints, String address, String zone, Node node, Scheduler scheduler) {
        this.endpoints = endpoints.stream().map(HostPort::ofUrl).toList();
        this.address = address;
        this.zone = zone;
        this.node = node;
        this.scheduler = scheduler;
    }

    void start() {
        scheduler.after(Duration.ZERO, this::contact);
    }

    /** Whether PD has registered this node since the process started. */
    boolean isRegistered() {
        return registered;
    }

    /** Why PD does not want this node; empty when it does, or has not answered. */
    String refusal() {
        return refusal;
    }

    private void contact() {
        if (closed) {
            return;
        }
        Duration pause = HEARTBEAT;
        try {
            if (done) {
                heartbeat();
            } else {
                register();
            }
            pauseMs = FIRST_PAUSE_MS;
            lastProblem = "";
        } catch (StatusRuntimeException e) {
            pause = failed(e);
        } catch (IOException e) {
            problem("the registration at PD cannot be kept: " + e.getMessage());
        }
        node.beat();
        scheduler.after(pause, this::contact);
    }

    private void register() throws IOException {
        NodeIdentity identity = node.identity();
        RegisterWalResponse response =
                stub().registerWal(
                                RegisterWalRequest.newBuilder()
                                        .setClusterId(identity.clusterId())
                                        .setUuid(identity.uuid().toString())
                                        .setAddress(address)
                                        .setZone(zone)
                                        .build());
        boolean other =
                identity.registered()
                        && (identity.clusterId() != response.getClusterId()
                                || identity.walId() != response.getWalId());
        if (other) {
            refused(
                    "this folder is WAL node "
                            + identity.walId()
                            + " of cluster "
                            + identity.clusterId()
                            + ", but PD at "
                            + endpoints.get(next)
                            + " takes it for node "
                            + response.getWalId()
                            + " of cluster "
                            + response.getClusterId());
            return;
        }
        node.registered(
                new NodeIdentity(identity.uuid(), response.getClusterId(), response.getWalId()));
        log.info("this is WAL node {} of cluster {}", response.getWalId(), response.getClusterId());
        refusal = "";
        done = true;
        registered = true;
    }

    private void heartbeat() {
        NodeIdentity identity = node.identity();
        var unused =
                stub().walHeartbeat(
                                WalHeartbeatRequest.newBuilder()
                                        .setClusterId(identity.clusterId())
                                        .setWalId(identity.walId())
                                        .setRegions(node.regions())
                                        .setSegmentBytes(node.segmentBytes())
                                        .setCatchingUp(node.learners())
                                        .build());
    }

    /** Goes on to the next member of PD; returns the pause before. */
    private Duration failed(StatusRuntimeException e) {
        String at = endpoints.isEmpty() ? "" : endpoints.get(next);
        Status.Code code = e.getStatus().getCode();
        if (code == Status.Code.FAILED_PRECONDITION || code == Status.Code.INVALID_ARGUMENT) {
            refused("PD at " + at + " refuses this node: " + e.getStatus().getDescription());
        } else {
            problem("PD at " + at + " does not answer: " + e.getStatus().getCode());
        }
        dropChannel();
        next = (next + 1) % Math.max(1, endpoints.size());
        long ms = pauseMs;
        pauseMs = Math.min(HEARTBEAT.toMillis(), pauseMs * 2);
        return Duration.ofMillis(ms);
    }

    private void refused(String why) {
        if (!refusal.equals(why)) {
            refusal = why;
            log.error("{}", why);
        }
    }

    private void problem(String text) {
        if (!lastProblem.equals(text)) {
            lastProblem = text;
            log.warn("{}; trying on", text);
        }
    }

    private ClusterBlockingStub stub() {
        ManagedChannel current = channel;
        if (current == null) {
            current = GrpcTransports.channel(endpoints.get(next)).build();
            channel = current;
        }
        return ClusterGrpc.newBlockingStub(current)
                .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void dropChannel() {
        if (channel != null) {
            channel.shutdownNow();
            channel = null;
        }
    }

    /** The scheduler has ended before this. */
    @Override
    public void close() {
        closed = true;
        dropChannel();
    }
}
