package io.tidekv.objects.store;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Immutable objects under flat names with {@code /} between their parts ({@link ObjectNames}).
 * Implementations are thread-safe and retry what is safe to retry. Calls block, with a deadline of
 * their own; a call on an interrupted thread is not repeated and ends with UNAVAILABLE, at the
 * latest when the attempt under way has used up its time. Names are relative to the prefix of this
 * view ({@link #under}).
 *
 * <p>Failures are {@link ObjectStoreException}s, whose kind says what a caller can do. Garbage next
 * to the objects (foreign files, names that no caller could have written) is not seen.
 */
public interface ObjectStore extends AutoCloseable {
    /** Objects that one request for a list brings, as S3 has it. */
    int PAGE = 1000;

    /**
     * Stores {@code bytes} unless the name is taken; durable when it returns. An unclear outcome is
     * settled by comparing with what is stored, so that a repeated call with equal bytes succeeds.
     * Throws ALREADY_EXISTS when the name holds other bytes.
     */
    void putIfAbsent(String name, byte[] bytes);

    /**
     * As {@link #putIfAbsent(String, byte[])} for the content of a file, in parts when it is large.
     * Throws CORRUPT when the content does not have the CRC32C that the caller knows it to have.
     */
    void putFileIfAbsent(String name, Path file, int crc32c);

    /** Length and checksum, or null when there is no such object. */
    @Nullable ObjectInfo head(String name);

    /**
     * The whole object. Throws NOT_FOUND, or CORRUPT when it fails its checksum or is longer than
     * {@code bytesMax}.
     */
    byte[] get(String name, long bytesMax);

    /**
     * Bytes {@code [offset, offset + length)}; throws CORRUPT when the object ends before. A range
     * cannot be checked against the object's checksum: the caller must know what to expect.
     */
    byte[] getRange(String name, long offset, int length);

    /**
     * Writes the whole object into {@code target}, which must not exist; nothing is left there
     * after a failure. Not synced: the caller decides what must outlive a power loss. Returns the
     * length and CRC32C of what was written.
     */
    ObjectInfo getToFile(String name, Path target);

    /**
     * Up to {@code limit} objects whose names begin with {@code prefix} (not necessarily at the end
     * of a part; empty = all), in byte order of the names, after {@code after} (exclusive; empty =
     * from the start).
     */
    List<ObjectInfo> list(String prefix, String after, int limit);

    /**
     * Hands over every object whose name begins with {@code prefix}, in byte order of the names, a
     * page at a time; what is stored meanwhile may be among them or not.
     */
    default void forEach(String prefix, Consumer<ObjectInfo> action) {
        String after = "";
        List<ObjectInfo> page;
        do {
            page = list(prefix, after, PAGE);
            for (ObjectInfo info : page) {
                after = info.name();
                action.accept(info);
            }
        } while (page.size() == PAGE);
    }

    /** Deletes; a missing object is no error. */
    void delete(String name);

    /** Where the objects are, for people; no secrets. */
    String describe();

    /**
     * A view of the objects below {@code prefix} (without a slash at its end). Closing the view
     * leaves this store open.
     */
    default ObjectStore under(String prefix) {
        return PrefixedObjectStore.view(this, prefix);
    }

    /** Ends calls under way with UNAVAILABLE and frees what the store holds. Idempotent. */
    @Override
    void close();

    /**
     * An object's name and size; the CRC32C of its content where the store knows it without
     * reading.
     *
     * @param modifiedMillis when it was stored, by the store's clock; {@link #UNKNOWN_TIME} where
     *     the call does not tell (only {@link #list} and {@link #head} do). S3 knows full seconds,
     *     and for an upload in parts the time at which it began
     */
    record ObjectInfo(String name, long length, @Nullable Integer crc32c, long modifiedMillis) {
        public static final long UNKNOWN_TIME = -1;

        public ObjectInfo(String name, long length, @Nullable Integer crc32c) {
            this(name, length, crc32c, UNKNOWN_TIME);
        }
    }
}
