package io.tidekv.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.tidekv.proto.cluster.ClusterGrpc;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A playground with one process per role, started as a user starts it, and the means to hurt it.
 */
public final class Playground implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration START_MAX = Duration.ofSeconds(90);

    private final Path dataDir;
    private final Path readyFile;
    private final Path output;
    private final List<String> flags;
    private final Process process;
    private final JsonNode ready;

    private Playground(Path dataDir, List<String> flags) throws IOException {
        this.dataDir = dataDir;
        this.flags = flags;
        Files.createDirectories(dataDir);
        readyFile = dataDir.resolveSibling(dataDir.getFileName() + "-ready.json");
        Files.deleteIfExists(readyFile);
        output = dataDir.resolveSibling(dataDir.getFileName() + "-output.txt");
        List<String> command = new ArrayList<>(launch());
        command.addAll(List.of("playground", "--data-dir", dataDir.toString()));
        command.addAll(List.of("--ready-file", readyFile.toString()));
        command.addAll(flags);
        process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                        .start();
        try {
            Awaitility.await("playground ready, see " + output)
                    .atMost(START_MAX)
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> Files.exists(readyFile) || !process.isAlive());
        } catch (RuntimeException e) {
            destroyTree();
            throw e;
        }
        if (!process.isAlive()) {
            throw new IllegalStateException("playground ended: " + Files.readString(output));
        }
        ready = JSON.readTree(readyFile.toFile());
    }

    /** Starts on free ports; {@code flags} are added to those that every test needs. */
    static Playground start(Path dataDir, String... flags) {
        return start(dataDir, List.of("--processes"), flags);
    }

    /** As {@link #start}, for tests that hurt all of it or nothing: one process with all roles. */
    static Playground startInOneProcess(Path dataDir, String... flags) {
        return start(dataDir, List.of(), flags);
    }

    private static Playground start(Path dataDir, List<String> first, String... flags) {
        try {
            List<String> all = new ArrayList<>(first);
            all.addAll(List.of("--port-offset", "" + freeOffset()));
            all.addAll(List.of(flags));
            return new Playground(dataDir, all);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops everything in order and starts again on the same data. */
    Playground restart() {
        close();
        try {
            return new Playground(dataDir, flags);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String pd() {
        return ready.get("pd").get(0).asText();
    }

    JsonNode ready() {
        return ready;
    }

    Path dataDir() {
        return dataDir;
    }

    ManagedChannel channel(String address) {
        int colon = address.lastIndexOf(':');
        return NettyChannelBuilder.forAddress(
                        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)))
                .usePlaintext()
                .maxInboundMessageSize(64 << 20)
                .build();
    }

    /** The cluster's own API at PD, on a channel that the caller shuts down. */
    static ClusterGrpc.ClusterBlockingStub cluster(ManagedChannel channel) {
        return ClusterGrpc.newBlockingStub(channel);
    }

    /** Sends a signal, named as for kill(1), to a process. */
    public static void signal(long pid, String signal) {
        try {
            Process kill = new ProcessBuilder("kill", "-" + signal, "" + pid).start();
            kill.waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Runs the role of a process that was killed again, by the command line that the playground
     * wrote down.
     */
    Process rerun(String role) {
        try {
            JsonNode command = JSON.readTree(dataDir.resolve("commands.json").toFile()).get(role);
            List<String> words = new ArrayList<>();
            command.forEach(w -> words.add(w.asText()));
            return new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a command printed, on both streams, and how it ended. */
    record Result(int code, String output) {}

    /** Runs one {@code tidekv} command to its end. */
    Result tidekv(List<String> words) throws IOException, InterruptedException {
        List<String> arguments =
                new ArrayList<>(List.of("-cp", classPath(), "io.tidekv.cli.Tidekv"));
        arguments.addAll(words);
        return run(arguments);
    }

    /** Runs java with these arguments to its end. */
    static Result run(List<String> arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(java(), "-Xmx256m", "-XX:TieredStopAtLevel=1"));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    /** The class path of this test, which has the command and the client. */
    static String classPath() {
        return absolute(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")));
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                destroyTree();
            }
        } catch (InterruptedException e) {
            destroyTree();
            Thread.currentThread().interrupt();
        }
    }

    /** Kills all processes at once, as a power failure would; returns when they are gone. */
    void kill() {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(handle -> handle.onExit().join());
    }

    private void destroyTree() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    /** The words that begin every {@code tidekv} command of these tests. */
    public static List<String> launch() {
        return List.of(
                java(), "-Xmx512m", "-XX:+UseSerialGC", "-cp", classPath(), "io.tidekv.cli.Tidekv");
    }

    private static String absolute(String classPath) {
        List<String> parts = new ArrayList<>();
        for (String part : classPath.split(File.pathSeparator, -1)) {
            parts.add(Path.of(part).toAbsolutePath().toString());
        }
        return String.join(File.pathSeparator, parts);
    }

    /** An offset at which the ports of a small playground are free just now. */
    private static int freeOffset() throws IOException {
        for (int offset = 1000 + (int) (ProcessHandle.current().pid() % 97) * 100;
                offset < 40_000;
                offset += 100) {
            if (free(2379 + offset)
                    && free(20160 + offset)
                    && free(20161 + offset)
                    && free(20190 + offset)) {
                return offset;
            }
        }
        throw new IOException("no free ports");
    }

    private static boolean free(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
