package io.tidekv.objects.store;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A real MinIO in a process of its own, with its data in a temporary folder. */
final class MinioServer implements Minio {
    private final Process process;
    private final int port;

    private MinioServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /**
     * From {@code -Dtidekv.minio}, {@code TIDEKV_MINIO}, the path or {@code bin} in the folder of
     * tools, {@code TIDEKV_TOOLS} or {@code ~/.cache/tidekv}; null when there is none.
     */
    static @Nullable Path binary() {
        String named = System.getProperty("tidekv.minio", System.getenv("TIDEKV_MINIO"));
        if (named != null) {
            return Path.of(named);
        }
        Path cache = Path.of(System.getProperty("user.home"), ".cache", "tidekv");
        String tools = System.getenv().getOrDefault("TIDEKV_TOOLS", cache.toString());
        String folders = System.getenv().getOrDefault("PATH", "");
        for (String folder : (folders + ":" + tools + "/bin").split(File.pathSeparator)) {
            Path candidate = Path.of(folder, "minio");
            if (Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        return null;
    }

    static MinioServer start(Path binary, Path folder) throws IOException {
        int port = freePort();
        ProcessBuilder builder =
                new ProcessBuilder(
                        binary.toString(),
                        "server",
                        "--quiet",
                        "--address",
                        "127.0.0.1:" + port,
                        "--console-address",
                        "127.0.0.1:" + freePort(),
                        Files.createDirectories(folder.resolve("data")).toString());
        builder.environment().put("MINIO_ROOT_USER", KEY);
        builder.environment().put("MINIO_ROOT_PASSWORD", SECRET);
        builder.environment().put("MINIO_BROWSER", "off");
        builder.environment().put("MINIO_UPDATE", "off");
        builder.environment().put("HOME", folder.toString());
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("minio.log").toFile());
        MinioServer server = new MinioServer(builder.start(), port);
        try {
            Awaitility.await("MinIO ready")
                    .atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(100))
                    .until(server::isReady);
        } catch (RuntimeException e) {
            server.close();
            throw new IOException(Files.readString(folder.resolve("minio.log")), e);
        }
        return server;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** It says that it is ready before it answers requests: until then they get 503. */
    private boolean isReady() {
        return status("/minio/health/ready") == 200 && answers(status("/"));
    }

    private static boolean answers(int status) {
        return status > 0 && status != 503;
    }

    /** 0 when nobody answers. */
    private int status(String path) {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(1))
                        .build();
        try {
            return HttpClient.newHttpClient()
                    .send(request, HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    @Override
    public String endpoint() {
        return "http://127.0.0.1:" + port;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
