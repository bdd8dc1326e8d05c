package io.tidekv.objects.store;

import io.tidekv.common.Randomness;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Objects as files of a folder, for one machine; several processes may share it. A file holds the
 * content and a {@link FileTrailer}. It is written in the folder {@code .tmp}, synced, linked to
 * its name (which fails when the name is taken) and the name's folder synced, so that a name never
 * shows a part of an object, whatever crashes. What crashes leave in {@code .tmp} is removed at a
 * later start, when it cannot be another process's work any more.
 */
final class FileObjectStore implements ObjectStore {
    private static final String TEMPORARY = ".tmp";
    private static final Duration ABANDONED = Duration.ofHours(1);
    private static final int CHUNK_BYTES = 1 << 20;

    private final Path folder;
    private final Randomness randomness;

    FileObjectStore(Path folder, StoreContext context) {
        this.folder = folder.toAbsolutePath().normalize();
        this.randomness = context.randomness();
        try {
            Folders.createSynced(this.folder.resolve(TEMPORARY));
            removeAbandoned(context.clock().wallMillis() - ABANDONED.toMillis());
        } catch (IOException e) {
            throw StoreErrors.failed("", "create " + this.folder, e);
        }
    }

    private void removeAbandoned(long beforeMillis) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.resolve(TEMPORARY))) {
            for (Path file : files) {
                if (Folders.modifiedMillis(file) < beforeMillis) {
                    Folders.deleteQuietly(file);
                }
            }
        }
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        int crc32c = Checksums.crc32c(bytes);
        put(name, crc32c, bytes.length, target -> writeAll(target, ByteBuffer.wrap(bytes)));
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        ObjectNames.check(name);
        try (FileChannel source = FileChannel.open(file, StandardOpenOption.READ)) {
            put(
                    name,
                    crc32c,
                    source.size(),
                    target -> {
                        if (copy(source, target, source.size()) != crc32c) {
                            throw StoreErrors.changed(name, file);
                        }
                    });
        } catch (IOException e) {
            throw failed(name, "read " + file, e);
        }
    }

    private interface Content {
        void writeTo(FileChannel target) throws IOException;
    }

    private void put(String name, int crc32c, long length, Content content) {
        Path target = path(name);
        Path parent = Folders.parent(target);
        Path temporary = folder.resolve(TEMPORARY).resolve(randomness.nextUuid().toString());
        try {
            if (!Files.exists(target)) {
                Folders.createSynced(parent);
                writeSynced(temporary, content, new FileTrailer(length, crc32c));
                Files.createLink(target, temporary);
                Folders.sync(parent);
                return;
            }
        } catch (FileAlreadyExistsException e) {
            // Settled below, unless it is a part of the path that is no folder.
            if (!Files.exists(target)) {
                throw collides(name);
            }
        } catch (NotDirectoryException e) {
            throw collides(name);
        } catch (UnsupportedOperationException e) {
            throw new ObjectStoreException(
                    Kind.INVALID,
                    name,
                    folder + " is on a file system without hard links: choose another folder",
                    e);
        } catch (IOException e) {
            throw failed(name, "write " + target, e);
        } finally {
            Folders.deleteQuietly(temporary);
        }
        settle(name, target, crc32c, length);
    }

    /** The name is taken: fine if by the same content, which is made sure to be durable. */
    private void settle(String name, Path target, int crc32c, long length) {
        if (!Files.isRegularFile(target)) {
            throw collides(name);
        }
        ObjectInfo there = getInto(name, null);
        if (there.length() != length || !Integer.valueOf(crc32c).equals(there.crc32c())) {
            throw StoreErrors.taken(name);
        }
        try {
            Folders.sync(Folders.parent(target));
        } catch (IOException e) {
            throw failed(name, "sync " + target, e);
        }
    }

    private static void writeSynced(Path temporary, Content content, FileTrailer trailer)
            throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            content.writeTo(channel);
            writeAll(channel, trailer.encode());
            channel.force(true);
        }
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        Path path = path(name);
        if (!Files.isRegularFile(path)) {
            return null;
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return info(name, path, channel);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw failed(name, "read " + path, e);
        }
    }

    /** A file without its trailer is listed with all its bytes and no checksum. */
    static ObjectInfo info(String name, Path path, FileChannel channel) throws IOException {
        FileTrailer trailer = FileTrailer.read(channel);
        long modified = Files.getLastModifiedTime(path).toMillis();
        return trailer == null
                ? new ObjectInfo(name, channel.size(), null, modified)
                : new ObjectInfo(name, trailer.length(), trailer.crc32c(), modified);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        try (FileChannel channel = open(name)) {
            FileTrailer trailer = trailer(name, channel);
            if (trailer.length() > Math.min(bytesMax, Integer.MAX_VALUE - 8)) {
                throw StoreErrors.tooLong(name, trailer.length(), bytesMax);
            }
            byte[] bytes = new byte[(int) trailer.length()];
            readAll(name, channel, ByteBuffer.wrap(bytes), 0);
            int actual = Checksums.crc32c(bytes);
            if (actual != trailer.crc32c()) {
                throw StoreErrors.checksum(name, trailer.crc32c(), actual);
            }
            return bytes;
        } catch (IOException e) {
            throw failed(name, "read " + path(name), e);
        }
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        StoreErrors.checkRange(name, offset, length);
        try (FileChannel channel = open(name)) {
            FileTrailer trailer = trailer(name, channel);
            if (offset + length > trailer.length()) {
                throw StoreErrors.endsBefore(name, trailer.length(), offset + length);
            }
            byte[] bytes = new byte[length];
            readAll(name, channel, ByteBuffer.wrap(bytes), offset);
            return bytes;
        } catch (IOException e) {
            throw failed(name, "read " + path(name), e);
        }
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        boolean whole = false;
        boolean mine = false;
        try (FileChannel out =
                FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            mine = true;
            ObjectInfo info = getInto(name, out);
            whole = true;
            return info;
        } catch (IOException e) {
            throw failed(name, "write " + target, e);
        } finally {
            if (mine && !whole) {
                Folders.deleteQuietly(target);
            }
        }
    }

    /** Reads and checks the whole object, and copies it to {@code out} if given. */
    private ObjectInfo getInto(String name, @Nullable FileChannel out) {
        try (FileChannel channel = open(name)) {
            FileTrailer trailer = trailer(name, channel);
            int actual = copy(channel, out, trailer.length());
            if (actual != trailer.crc32c()) {
                throw StoreErrors.checksum(name, trailer.crc32c(), actual);
            }
            return new ObjectInfo(name, trailer.length(), actual);
        } catch (IOException e) {
            throw failed(name, "copy " + path(name), e);
        }
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        ObjectNames.checkPrefix(prefix);
        try {
            return new FileLister(folder, prefix, after, limit).list();
        } catch (IOException e) {
            throw failed(prefix, "list " + folder, e);
        }
    }

    @Override
    public void delete(String name) {
        Path path = path(name);
        try {
            if (Files.isRegularFile(path) && Files.deleteIfExists(path)) {
                Folders.sync(Folders.parent(path));
            }
        } catch (IOException e) {
            throw failed(name, "delete " + path, e);
        }
    }

    @Override
    public String describe() {
        return "file:" + folder;
    }

    @Override
    public void close() {}

    private Path path(String name) {
        return folder.resolve(ObjectNames.check(name));
    }

    private FileChannel open(String name) throws IOException {
        Path path = path(name);
        try {
            if (Files.isRegularFile(path)) {
                return FileChannel.open(path, StandardOpenOption.READ);
            }
        } catch (NoSuchFileException e) {
            // Deleted since: reported below.
        }
        throw StoreErrors.notFound(name, describe());
    }

    private static FileTrailer trailer(String name, FileChannel channel) throws IOException {
        FileTrailer trailer = FileTrailer.read(channel);
        if (trailer == null) {
            throw StoreErrors.corrupt(
                    name, "its " + channel.size() + " bytes do not end in a trailer that fits");
        }
        return trailer;
    }

    private static ObjectStoreException collides(String name) {
        return new ObjectStoreException(
                Kind.INVALID,
                name,
                name + " or a part of it is both an object and a folder in file:",
                null);
    }

    private static ObjectStoreException failed(String name, String action, IOException e) {
        return e instanceof ClosedByInterruptException
                ? StoreErrors.interrupted(name, e)
                : StoreErrors.failed(name, action, e);
    }

    /** Copies the first {@code length} bytes and returns their CRC32C. */
    private static int copy(FileChannel from, @Nullable FileChannel to, long length)
            throws IOException {
        CRC32C crc = new CRC32C();
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, Math.max(1, length)));
        long at = 0;
        while (at < length) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), length - at));
            int read = from.read(chunk, at);
            if (read < 0) {
                break;
            }
            crc.update(chunk.flip());
            if (to != null) {
                writeAll(to, chunk.rewind());
            }
            at += read;
        }
        return (int) crc.getValue();
    }

    private static void writeAll(FileChannel to, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private static void readAll(String name, FileChannel from, ByteBuffer into, long offset)
            throws IOException {
        while (into.hasRemaining()) {
            if (from.read(into, offset + into.position()) < 0) {
                throw StoreErrors.endsBefore(name, from.size(), offset + into.capacity());
            }
        }
    }
}
