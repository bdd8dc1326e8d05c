package io.tidekv.compute.server;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * The folder of a compute process: a cache that may be deleted at any time while no process runs.
 * Held by one process at a time. Touches nothing but what it has made itself.
 */
final class DataFolder implements AutoCloseable {
    private static final String LOCK = "LOCK";
    private static final String CLUSTER = "CLUSTER";

    private final Path root;
    private final FileChannel lockFile;

    private DataFolder(Path root, FileChannel lockFile) {
        this.root = root;
        this.lockFile = lockFile;
    }

    /**
     * Makes the folder if need be and takes it.
     *
     * @throws IOException when it is another process's at present, or cannot be used
     */
    static DataFolder open(Path root) throws IOException {
        Files.createDirectories(root);
        FileChannel file =
                FileChannel.open(
                        root.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = file.tryLock();
            if (lock != null) {
                return new DataFolder(root, file);
            }
        } catch (OverlappingFileLockException e) {
            // Held in this very process; the answer is the same.
            file.close();
            throw taken(root);
        }
        file.close();
        throw taken(root);
    }

    private static IOException taken(Path root) {
        return new IOException(
                "the folder " + root + " is in use by another process: give each its own data-dir");
    }

    /** Keeps what belongs to the cluster; what another cluster has left is dropped. */
    void belongTo(long clusterId) throws IOException {
        Path marker = root.resolve(CLUSTER);
        String id = Long.toUnsignedString(clusterId);
        if (!Files.exists(marker) || !Files.readString(marker, StandardCharsets.UTF_8).equals(id)) {
            delete(cache());
            delete(tablets());
            Files.writeString(marker, id, StandardCharsets.UTF_8);
        }
    }

    /** Table files by object name; may be reused by the next process. */
    Path cache() {
        return root.resolve("cache");
    }

    /** Folders of open tablets; of no use to the next process. */
    Path tablets() {
        return root.resolve("tablets");
    }

    Path root() {
        return root;
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
