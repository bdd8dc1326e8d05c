package io.tidekv.objects.hydrate;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.Folders;
import io.tidekv.objects.store.ObjectNames;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cache's folder, held by one process at a time. File names are object names with {@code +} for
 * {@code /}, and {@code @offset-length} where the object holds more than the file.
 *
 * <p>A file {@code .clean} with the machine's boot id is there while nobody uses the folder and the
 * last user ended in order: then, and if the machine has not been restarted since, files are what
 * they were. Otherwise each is compared with its checksum before its first use.
 */
final class CacheFolder implements AutoCloseable {
    static final String PART = ".part";
    private static final String CLEAN = ".clean";
    private static final String LOCK = ".lock";
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private final Path folder;
    private final FileChannel lockChannel;
    private final boolean trusted;

    private CacheFolder(Path folder, FileChannel lockChannel, boolean trusted) {
        this.folder = folder;
        this.lockChannel = lockChannel;
        this.trusted = trusted;
    }

    static CacheFolder open(Path folder) throws IOException {
        Files.createDirectories(folder);
        FileChannel channel = lock(folder);
        Path clean = folder.resolve(CLEAN);
        String bootId = bootId();
        boolean trusted =
                bootId != null
                        && Files.isRegularFile(clean)
                        && bootId.equals(Files.readString(clean, StandardCharsets.UTF_8));
        if (Files.deleteIfExists(clean)) {
            Folders.sync(folder);
        }
        return new CacheFolder(folder, channel, trusted);
    }

    private static FileChannel lock(Path folder) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held by this very process: reported as any other holder.
        }
        if (lock == null) {
            channel.close();
            throw new ObjectStoreException(
                    Kind.INVALID,
                    "",
                    "cache folder " + folder + " is in use by another process: give each its own",
                    null);
        }
        return channel;
    }

    /** Whether files need no check before use. */
    boolean trusted() {
        return trusted;
    }

    /** Lengths of the files that are there; removes what a fetch has left unfinished. */
    Map<String, Long> scan() throws IOException {
        Map<String, Long> files = new LinkedHashMap<>();
        try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
            for (Path child : children) {
                String name = child.getFileName().toString();
                if (name.endsWith(PART)) {
                    Folders.deleteQuietly(child);
                } else if (!name.startsWith(".") && Files.isRegularFile(child)) {
                    files.put(name, Files.size(child));
                }
            }
        }
        return files;
    }

    /** Name of the file for an object; throws INVALID for what cannot be an object's name. */
    static String fileName(ObjectRef ref) {
        String key = ref.getKey();
        if (!ObjectNames.isValid(key) || ref.getOffset() < 0 || ref.getLength() < 0) {
            throw new ObjectStoreException(
                    Kind.INVALID, "", "a reference to no possible object", null);
        }
        String flat = key.replace('/', '+');
        return isWhole(ref) ? flat : flat + "@" + ref.getOffset() + "-" + ref.getLength();
    }

    /** The object that a file holds or holds a part of. */
    static String keyOf(String file) {
        int part = file.indexOf('@');
        return (part < 0 ? file : file.substring(0, part)).replace('+', '/');
    }

    /** Packs hold many members; everything else is one object, one file. */
    static boolean isWhole(ObjectRef ref) {
        return ref.getOffset() == 0 && !ObjectKeys.isPack(ref.getKey());
    }

    Path path(String file) {
        return folder.resolve(file);
    }

    /** Whether somebody else holds a hard link: then removing ours would free nothing. */
    boolean isLinked(String file) {
        try {
            return Files.getAttribute(path(file), "unix:nlink") instanceof Integer n && n > 1;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** Leaves the folder so that the next user trusts it. */
    @Override
    public void close() throws IOException {
        try (lockChannel) {
            String bootId = bootId();
            if (bootId != null) {
                Files.writeString(folder.resolve(CLEAN), bootId, StandardCharsets.UTF_8);
            }
        }
    }

    private static @Nullable String bootId() {
        try {
            return Files.readString(BOOT_ID, StandardCharsets.UTF_8).trim();
        } catch (IOException e) {
            return null;
        }
    }
}
