package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.Randomness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folders of all tablets of one process. Nothing in them outlives it: tables are emptied at
 * start; metadata lie in a folder with a lock, and those whose lock nobody holds are removed.
 * Thread-safe.
 */
final class Workspace implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Workspace.class);
    private static final String PREFIX = "tidekv-tablets-";
    private static final String LOCK = "lock";
    private static final long SCRATCH_MIN = 64L << 20;

    /** Of this JVM: opening and closing the lock file of one of them would drop its lock. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path metaRoot;
    private final Path tablesRoot;
    private final List<FileChannel> locks;
    private final AtomicLong next = new AtomicLong();

    private Workspace(Path metaRoot, Path tablesRoot, List<FileChannel> locks) {
        this.metaRoot = metaRoot;
        this.tablesRoot = tablesRoot;
        this.locks = locks;
    }

    static Workspace open(Path folder, Path scratch, Randomness randomness) {
        List<FileChannel> locks = new ArrayList<>();
        try {
            Path tables = Files.createDirectories(folder.toAbsolutePath());
            locks.add(lock(tables));
            empty(tables);
            Path base = isRoomy(scratch) ? scratch.toAbsolutePath() : tables;
            sweep(base);
            Path meta = base.resolve(PREFIX + randomness.nextUuid());
            Files.createDirectories(meta);
            locks.add(lock(meta));
            return new Workspace(meta, tables, locks);
        } catch (IOException e) {
            locks.forEach(Workspace::unlock);
            throw new UncheckedIOException("cannot set up " + folder + ": " + e, e);
        }
    }

    private static FileChannel lock(Path folder) throws IOException {
        if (!OWN.add(folder)) {
            throw inUse(folder);
        }
        FileChannel file =
                FileChannel.open(
                        folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (file.tryLock() == null) {
            OWN.remove(folder);
            file.close();
            throw inUse(folder);
        }
        return file;
    }

    private static IOException inUse(Path folder) {
        return new IOException(
                folder + " is in use: stop the other process or name another folder");
    }

    private static void unlock(FileChannel lock) {
        try {
            lock.close();
        } catch (IOException e) {
            log.warn("cannot close a lock file", e);
        }
    }

    /** Fresh, empty folders. */
    TabletFolder create(long regionId) throws IOException {
        String name = regionId + "-" + next.incrementAndGet();
        Path tables = tablesRoot.resolve(name);
        return new TabletFolder(
                Files.createDirectories(metaRoot.resolve(name)),
                Files.createDirectories(tables.resolve("sst")),
                Files.createDirectories(tables.resolve("pins")));
    }

    /** Removes the folders of a closed tablet; what cannot be removed goes at the next start. */
    void remove(TabletFolder folder) {
        try {
            delete(folder.meta());
            delete(folder.tables().getParent());
        } catch (IOException e) {
            log.warn("cannot remove {}", folder, e);
        }
    }

    private static boolean isRoomy(Path scratch) {
        try {
            return Files.isDirectory(scratch)
                    && Files.isWritable(scratch)
                    && Files.getFileStore(scratch).getUsableSpace() >= SCRATCH_MIN;
        } catch (IOException e) {
            return false;
        }
    }

    /** Removes what dead processes have left. */
    private static void sweep(Path base) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(base, PREFIX + "*")) {
            for (Path folder : found) {
                if (!OWN.contains(folder) && isDead(folder)) {
                    delete(folder);
                }
            }
        }
    }

    private static boolean isDead(Path folder) {
        try (FileChannel file = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE);
                FileLock lock = file.tryLock()) {
            return lock != null;
        } catch (IOException | OverlappingFileLockException e) {
            // Just being made by another process, or somebody else's.
            return false;
        }
    }

    /** Removes all but the lock. */
    private static void empty(Path folder) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder)) {
            for (Path path : found) {
                if (!path.endsWith(LOCK)) {
                    delete(path);
                }
            }
        }
    }

    private static void delete(@Nullable Path root) throws IOException {
        if (root == null || !Files.exists(root)) {
            return;
        }
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException failure)
                            throws IOException {
                        if (failure instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw failure;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path folder, @Nullable IOException failure) throws IOException {
                        Files.deleteIfExists(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    @Override
    public void close() {
        try {
            delete(metaRoot);
            delete(tablesRoot);
        } catch (IOException e) {
            log.warn("cannot remove {} and {}", metaRoot, tablesRoot, e);
        }
        locks.forEach(Workspace::unlock);
        OWN.remove(metaRoot);
        OWN.remove(tablesRoot);
    }
}
