package io.tidekv.it;

import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A real MinIO in a process of its own, which can be stopped and go on. */
public final class Minio implements AutoCloseable {
    private static final String BUCKET = "tidekv";
    private static final String KEY = "tidekv-test";
    private static final String SECRET = "tidekv-test-secret";

    private final Process process;
    private final Path data;
    private final int port;

    private Minio(Process process, Path data, int port) {
        this.process = process;
        this.data = data;
        this.port = port;
    }

    /** Its binary from {@code -Dtidekv.minio}, {@code TIDEKV_MINIO} or the path; null: none. */
    public static Path binary() {
        String named = System.getProperty("tidekv.minio", System.getenv("TIDEKV_MINIO"));
        if (named != null) {
            return Path.of(named);
        }
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, "minio"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    /** Starts one with an empty bucket; its data lie in {@code folder}. */
    public static Minio start(Path binary, Path folder) throws IOException {
        Path data = folder.resolve("data");
        Files.createDirectories(data.resolve(BUCKET));
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
                        data.toString());
        builder.environment().put("MINIO_ROOT_USER", KEY);
        builder.environment().put("MINIO_ROOT_PASSWORD", SECRET);
        builder.environment().put("MINIO_BROWSER", "off");
        builder.environment().put("MINIO_UPDATE", "off");
        builder.environment().put("HOME", folder.toString());
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile());
        Minio minio = new Minio(builder.start(), data, port);
        try {
            Awaitility.await("MinIO ready, see " + folder.resolve("log"))
                    .atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(100))
                    .until(minio::isReady);
        } catch (RuntimeException e) {
            minio.close();
            throw e;
        }
        return minio;
    }

    /** What {@code --object-store} takes. */
    public String uri() {
        return uri("http://127.0.0.1:" + port);
    }

    /** As {@link #uri()}, by way of a proxy. */
    public String uri(String endpoint) {
        return "s3://%s/it?endpoint=%s&access-key=%s&secret-key=%s"
                .formatted(BUCKET, endpoint, KEY, SECRET);
    }

    public int port() {
        return port;
    }

    /** Answers nobody from now on: connections are accepted by the kernel and hang. */
    void suspend() {
        Playground.signal(process.pid(), "STOP");
    }

    void resume() {
        Playground.signal(process.pid(), "CONT");
    }

    /** Objects in its bucket, counted on its disk. */
    long objects() throws IOException {
        try (Stream<Path> files = Files.walk(data.resolve(BUCKET))) {
            return files.filter(f -> f.getFileName().toString().equals("xl.meta")).count();
        }
    }

    private boolean isReady() {
        try {
            URI health = URI.create("http://127.0.0.1:" + port + "/minio/health/ready");
            HttpURLConnection connection = (HttpURLConnection) health.toURL().openConnection();
            connection.setConnectTimeout(1000);
            connection.setReadTimeout(1000);
            return connection.getResponseCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
