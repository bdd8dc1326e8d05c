package io.tidekv.objects.store;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Immutable objects under flat names with {@code /} between their parts. Implementations are
 * thread-safe and retry what is safe to retry; calls block, with a deadline of their own. Names are
 * relative to the cluster's prefix.
 *
 * <p>Failures are {@link ObjectStoreException}s, whose kind says what a caller can do.
 */
public interface ObjectStore extends AutoCloseable {
    /**
     * Stores {@code bytes} unless the name is taken. An unclear outcome is settled by reading back
     * and comparing checksums, so that a repeated call with equal bytes succeeds. Throws
     * ALREADY_EXISTS when the name holds other bytes.
     */
    void putIfAbsent(String name, byte[] bytes);

    /**
     * As {@link #putIfAbsent(String, byte[])} for the content of a file, in parts when it is large.
     */
    void putFileIfAbsent(String name, Path file);

    /** Length and checksum, or null when there is no such object. */
    @Nullable ObjectInfo head(String name);

    /**
     * The whole object. Throws NOT_FOUND, or CORRUPT when it fails its checksum; refuses objects
     * over {@code bytesMax}.
     */
    byte[] get(String name, long bytesMax);

    /** Bytes {@code [offset, offset + length)}; throws CORRUPT when the object ends before. */
    byte[] getRange(String name, long offset, int length);

    /**
     * Writes the whole object into {@code target}, which must not exist; nothing is left there
     * after a failure.
     */
    void getToFile(String name, Path target);

    /**
     * Up to {@code limit} objects under {@code prefix}, in name order, after {@code after}
     * (exclusive; empty = from the start).
     */
    List<ObjectInfo> list(String prefix, String after, int limit);

    /** Deletes; a missing object is no error. */
    void delete(String name);

    /** Where the objects are, for people; no secrets. */
    String describe();

    @Override
    void close();

    /**
     * An object's name and size; the CRC32C of its content where the store knows it without
     * reading.
     */
    record ObjectInfo(String name, long length, @Nullable Integer crc32c) {}
}
