package io.tidekv.it.storm;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.tidekv.it.Playground;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterGrpc.ClusterBlockingStub;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** PD, WAL nodes and compute nodes, each a process that can be hurt. */
final class Cluster implements AutoCloseable {
    private static final int PD_PORT = 2379;
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger(12_000 + (int) (ProcessHandle.current().pid() % 150) * 100);

    /** So short that records and table files replace each other all the while. */
    private static final String PUBLISH_INTERVAL = "500ms";

    private static final Duration START_MAX = Duration.ofSeconds(300);

    private final Net net;
    private final Path folder;
    private final String objects;
    private final Map<String, List<String>> commands = new LinkedHashMap<>();
    private final Map<String, Integer> ports = new LinkedHashMap<>();
    private final Map<String, Process> processes = new LinkedHashMap<>();
    private final Map<String, ManagedChannel> pds = new LinkedHashMap<>();

    /** With the objects in a folder beside those of the processes. */
    Cluster(Net net, Path folder, int pd, int wal, int compute) {
        this(net, folder, "file:" + folder.resolve("objects"), pd, wal, compute);
    }

    /**
     * @param objects URI of the object store
     */
    Cluster(Net net, Path folder, String objects, int pd, int wal, int compute) {
        this.net = net;
        this.folder = folder;
        this.objects = objects;
        List<String> pdRoles = roles("pd", pd);
        for (String role : pdRoles) {
            List<String> set = new ArrayList<>(List.of("name=" + role));
            set.add("client-urls=http://" + address(role));
            set.add("peer-urls=http://" + peer(role));
            if (pd > 1) {
                set.add(
                        pdRoles.stream()
                                .map(r -> r + "=http://" + peer(r))
                                .collect(Collectors.joining(",", "initial-cluster=", "")));
            }
            put("pd", role, set);
            pds.put(role, plain(address(role)));
        }
        for (String role : roles("wal", wal)) {
            put("wal", role, List.of("addr=" + address(role), "pd-endpoints=" + pdAddresses()));
        }
        for (String role : roles("compute", compute)) {
            put(
                    "compute",
                    role,
                    List.of(
                            "addr=" + address(role),
                            "pd.endpoints=" + pdAddresses(),
                            "object-store=" + objects,
                            "region.publish-interval=" + PUBLISH_INTERVAL));
        }
    }

    static List<String> roles(String kind, int count) {
        return Stream.iterate(1, i -> i + 1).limit(count).map(i -> kind + "-" + i).toList();
    }

    private void put(String kind, String role, List<String> settings) {
        List<String> command = new ArrayList<>(net.runIn(role));
        command.addAll(Playground.launch());
        command.addAll(List.of(kind, "--log-file", folder.resolve(role + ".log").toString()));
        command.addAll(List.of("--parent", "" + ProcessHandle.current().pid()));
        command.addAll(List.of("--set", "data-dir=" + data(role)));
        if (!kind.equals("pd")) {
            command.addAll(List.of("--set", "status-addr=" + net.host(role) + ":0"));
        }
        settings.forEach(setting -> command.addAll(List.of("--set", setting)));
        commands.put(role, command);
    }

    private String address(String role) {
        return net.host(role) + ":" + port(role);
    }

    private String peer(String role) {
        return net.host(role) + ":" + port(role + " to others");
    }

    /** Its own on the loopback, which all share. */
    private int port(String use) {
        return ports.computeIfAbsent(use, u -> net.cuts() ? PD_PORT + ports.size() : freePort());
    }

    String objects() {
        return objects;
    }

    Path data(String role) {
        return folder.resolve(role);
    }

    List<String> roles(String kind) {
        return commands.keySet().stream().filter(r -> r.startsWith(kind + "-")).toList();
    }

    Net net() {
        return net;
    }

    /** PD's addresses, separated by commas. */
    String pdAddresses() {
        return pds.keySet().stream().map(this::address).collect(Collectors.joining(","));
    }

    /** Starts all and waits until a first region is served. */
    void start() {
        commands.keySet().forEach(this::start);
        awaitServing();
    }

    /** Runs a role that does not run. */
    void start(String role) {
        Path output = folder.resolve(role + ".out");
        try {
            processes.put(
                    role,
                    new ProcessBuilder(commands.get(role))
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                            .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void checkRuns(String role, Process process) {
        if (!process.isAlive()) {
            throw new AssertionError(role + " has ended with code " + process.exitValue());
        }
    }

    void signal(String role, String signal) {
        Playground.signal(processes.get(role).pid(), signal);
    }

    /** Ends a process at once, whatever it is doing. */
    void kill(String role) {
        processes.get(role).destroyForcibly().onExit().join();
    }

    /** A process that was killed again before it made its folder has none. */
    void deleteData(String role) {
        if (!Files.exists(data(role))) {
            return;
        }
        try (Stream<Path> files = Files.walk(data(role))) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All regions are served, by nodes that all run. */
    void awaitServing() {
        Awaitility.await("all regions served, see " + folder)
                .atMost(START_MAX)
                .pollInterval(Duration.ofMillis(100))
                .ignoreException(IllegalStateException.class)
                .until(
                        () -> {
                            processes.forEach(Cluster::checkRuns);
                            ClusterStatusResponse status =
                                    ask(
                                            10_000,
                                            c ->
                                                    c.clusterStatus(
                                                            ClusterStatusRequest
                                                                    .getDefaultInstance()));
                            return status.getRegions() > 0
                                    && status.getRegionsServing() == status.getRegions()
                                    && status.getStoresUp() == roles("compute").size()
                                    && status.getWalUp() == roles("wal").size();
                        });
    }

    /** Asks the PD that leads. */
    <T> T ask(long timeoutMillis, Function<ClusterBlockingStub, T> question) {
        StatusRuntimeException refused = null;
        for (ManagedChannel channel : pds.values()) {
            try {
                return question.apply(
                        ClusterGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS));
            } catch (StatusRuntimeException e) {
                refused = e;
            }
        }
        throw new IllegalStateException("no PD answers", refused);
    }

    static ManagedChannel plain(String address) {
        int colon = address.lastIndexOf(':');
        return NettyChannelBuilder.forAddress(
                        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)))
                .usePlaintext()
                .build();
    }

    /** Below the ports that the system gives to connections, which could take it meanwhile. */
    private static int freePort() {
        while (true) {
            int port = NEXT_PORT.getAndIncrement();
            try (ServerSocket socket =
                    new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // Somebody has it: the next.
            }
        }
    }

    @Override
    public void close() {
        pds.values().forEach(ManagedChannel::shutdownNow);
        processes.values().forEach(Process::destroyForcibly);
        processes.values().forEach(process -> process.onExit().join());
    }
}
