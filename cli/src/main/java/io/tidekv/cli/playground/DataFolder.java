package io.tidekv.cli.playground;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Json;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a playground, held by one at a time. {@code playground.json} in it says of which
 * mode it is.
 */
final class DataFolder implements AutoCloseable {
    private static final String MODE_FILE = "playground.json";
    private static final String LOCK_FILE = "playground.lock";

    private final Path path;
    private final boolean deleteAtEnd;
    private final FileChannel lock;

    private DataFolder(Path path, boolean deleteAtEnd, FileChannel lock) {
        this.path = path;
        this.deleteAtEnd = deleteAtEnd;
        this.lock = lock;
    }

    /** The user's folder, made when missing, or a temporary one. */
    static DataFolder open(@Nullable Path wanted, boolean keep) throws IOException {
        Path path =
                wanted == null
                        ? Files.createTempDirectory("tidekv-")
                        : Files.createDirectories(wanted.toAbsolutePath().normalize());
        FileChannel lock =
                FileChannel.open(
                        path.resolve(LOCK_FILE),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        if (!held(lock)) {
            lock.close();
            throw new CliException(
                    "another playground uses "
                            + path
                            + ": stop it, or give this one its own --data-dir and --port-offset");
        }
        return new DataFolder(path, wanted == null && !keep, lock);
    }

    private static boolean held(FileChannel lock) throws IOException {
        try {
            return lock.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    Path path() {
        return path;
    }

    boolean deletedAtEnd() {
        return deleteAtEnd;
    }

    /** The mode of what is here, when something is; else the wanted one, or 1. */
    ApiVersion mode(@Nullable String wanted) throws IOException {
        String recorded = recorded("api_version");
        if (recorded == null) {
            return ApiVersion.parse(wanted == null ? "1" : wanted);
        }
        ApiVersion mode = ApiVersion.parse(recorded);
        if (wanted != null && ApiVersion.parse(wanted) != mode) {
            throw new CliException(
                    path
                            + " holds a cluster of --api-version "
                            + recorded
                            + ", which cannot be changed: leave the flag out, or use another"
                            + " --data-dir");
        }
        return mode;
    }

    /** Refuses another object store, or fewer nodes, than what is here was made with. */
    void claim(PlaygroundOptions options, ApiVersion mode, String objectStore) throws IOException {
        String shown = Secrets.hide(objectStore);
        String recorded = recorded("object_store");
        if (recorded != null && !recorded.equals(shown)) {
            throw new CliException(
                    path + " keeps its data in " + recorded + ": use --object-store with that");
        }
        same("pd", options.pd);
        same("wal", options.wal);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", 1);
        json.put("api_version", mode.text());
        json.put("object_store", shown);
        json.put("pd", options.pd);
        json.put("wal", options.wal);
        write(path.resolve(MODE_FILE), Json.pretty(json));
    }

    private void same(String what, int wanted) throws IOException {
        String recorded = recorded(what);
        if (recorded != null && Integer.parseInt(recorded) != wanted) {
            throw new CliException(
                    path
                            + " holds a cluster of --"
                            + what
                            + " "
                            + recorded
                            + ": start it with that number");
        }
    }

    private @Nullable String recorded(String key) throws IOException {
        Path file = path.resolve(MODE_FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            JsonNode value = Json.read(Files.readString(file, StandardCharsets.UTF_8)).get(key);
            return value == null ? null : value.asText();
        } catch (IllegalArgumentException e) {
            throw new CliException(file + " is damaged: restore it, or use another --data-dir", e);
        }
    }

    /** Whole or not at all. */
    static void write(Path file, String text) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Path part = Files.createTempFile(folder, file.getFileName().toString(), ".part");
        Files.writeString(part, text + System.lineSeparator(), StandardCharsets.UTF_8);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Lets the folder go, and deletes it when it was temporary. */
    @Override
    public void close() throws IOException {
        if (deleteAtEnd) {
            deleteAll();
        }
        lock.close();
    }

    private void deleteAll() throws IOException {
        Files.walkFileTree(
                path,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e) {
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
                            throws IOException {
                        Files.deleteIfExists(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
