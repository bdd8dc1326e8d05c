package io.tidekv.objects.store;

import java.nio.file.Files;
import java.nio.file.Path;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/** MinIO in a container, where there is a Docker engine. */
final class MinioContainer implements Minio {
    private static final String IMAGE = "minio/minio:RELEASE.2025-09-07T16-13-09Z";
    private static final int PORT = 9000;

    private final GenericContainer<?> container;

    private MinioContainer(GenericContainer<?> container) {
        this.container = container;
    }

    /** Looks for the engine's socket: asking the engine itself would be slow where it is not. */
    static boolean isPossible() {
        return System.getenv("DOCKER_HOST") != null
                || Files.exists(Path.of("/var/run/docker.sock"));
    }

    static MinioContainer start() {
        GenericContainer<?> container =
                new GenericContainer<>(DockerImageName.parse(IMAGE))
                        .withCommand("server", "/data")
                        .withEnv("MINIO_ROOT_USER", KEY)
                        .withEnv("MINIO_ROOT_PASSWORD", SECRET)
                        .withExposedPorts(PORT)
                        .waitingFor(Wait.forHttp("/minio/health/ready").forPort(PORT));
        container.start();
        return new MinioContainer(container);
    }

    @Override
    public String endpoint() {
        return "http://" + container.getHost() + ":" + container.getMappedPort(PORT);
    }

    @Override
    public void close() {
        container.stop();
    }
}
