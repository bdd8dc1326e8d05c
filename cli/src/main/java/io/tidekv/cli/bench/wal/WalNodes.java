package io.tidekv.cli.bench.wal;

import io.grpc.ManagedChannel;
import io.tidekv.cli.CliException;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.wal.StatusRequest;
import io.tidekv.proto.wal.StatusResponse;
import io.tidekv.proto.wal.WalGrpc;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** WAL nodes in processes of their own, and the PD that names them. */
final class WalNodes {
    /** One node. */
    record Node(Children.Child child, long walId, String statusAddress) {}

    private final List<Node> nodes = new ArrayList<>();
    private long clusterId;

    /** Starts PD and {@code count} nodes in {@code folder}. */
    static WalNodes start(Children children, Path folder, int count)
            throws IOException, InterruptedException {
        WalNodes all = new WalNodes();
        Children.Child pd =
                children.start(
                        "pd",
                        List.of(
                                "pd",
                                "--set",
                                "name=pd-1",
                                "--set",
                                "data-dir=" + folder.resolve("pd"),
                                "--set",
                                "client-urls=http://127.0.0.1:" + freePort(),
                                "--set",
                                "peer-urls=http://127.0.0.1:" + freePort(),
                                "--set",
                                "replication.voters=" + count));
        for (int i = 1; i <= count; i++) {
            String status = "127.0.0.1:" + freePort();
            Children.Child child =
                    children.start(
                            "wal-" + i,
                            List.of(
                                    "wal",
                                    "--set",
                                    "addr=127.0.0.1:0",
                                    "--set",
                                    "status-addr=" + status,
                                    "--set",
                                    "pd-endpoints=" + pd.address(),
                                    "--set",
                                    "data-dir=" + folder.resolve("wal-" + i)));
            all.add(child, status);
        }
        return all;
    }

    private void add(Children.Child child, String status) throws InterruptedException {
        ManagedChannel channel = GrpcTransports.channel(child.address()).build();
        try {
            for (int attempt = 0; attempt < 200; attempt++) {
                StatusResponse answer =
                        WalGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(5, TimeUnit.SECONDS)
                                .status(StatusRequest.getDefaultInstance());
                if (answer.getWalId() != 0) {
                    clusterId = answer.getClusterId();
                    nodes.add(new Node(child, answer.getWalId(), status));
                    return;
                }
                if (child.process().waitFor(100, TimeUnit.MILLISECONDS)) {
                    break;
                }
            }
            throw new CliException("the WAL node at " + child.address() + " was not registered");
        } finally {
            channel.shutdownNow();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    long clusterId() {
        return clusterId;
    }

    List<Node> nodes() {
        return nodes;
    }

    double cpuSeconds() {
        return nodes.stream().mapToDouble(node -> node.child.cpuSeconds()).sum();
    }

    /** Bytes of objects that the nodes' collectors have seen made since their start. */
    double allocatedBytes() {
        double sum = 0;
        for (Node node : nodes) {
            // New objects begin there; other pools get them later, or hold code.
            sum += metric(node, "jvm_memory_pool_allocated_bytes_total{pool=\"Eden Space\"}");
        }
        return sum;
    }

    private static double metric(Node node, String name) {
        String url = "http://" + node.statusAddress + "/metrics";
        try (InputStream in = URI.create(url).toURL().openStream()) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return text.lines()
                    .filter(line -> line.startsWith(name))
                    .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                    .sum();
        } catch (IOException e) {
            throw new CliException("no metrics at " + url + ": " + e.getMessage(), e);
        }
    }
}
