package io.tidekv.objects.hydrate;

import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.Folders;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.Retries;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.zip.CRC32C;

/** Brings one object, or its part, to a file and checks it. Thread-safe. */
final class Fetcher {
    private static final int RANGE_BYTES = 8 << 20;

    private final ObjectStore store;
    private final Retries retries;
    private final Retries.Policy policy;

    Fetcher(ObjectStore store, Duration deadline, StoreContext context) {
        this.store = store;
        this.retries = new Retries(context);
        this.policy = new Retries.Policy(deadline, Duration.ofMillis(50), Duration.ofSeconds(2));
    }

    /** Leaves nothing at {@code part} after a failure. */
    void fetch(ObjectRef ref, Path part) {
        retries.call(
                ref.getKey(),
                policy,
                remaining -> {
                    Folders.deleteQuietly(part);
                    try {
                        ObjectInfo got =
                                CacheFolder.isWhole(ref)
                                        ? store.getToFile(ref.getKey(), part)
                                        : ranges(ref, part);
                        check(ref, got);
                    } catch (ObjectStoreException e) {
                        Folders.deleteQuietly(part);
                        throw e;
                    }
                    return part;
                });
    }

    /** Bytes of what {@code ref} refers to; fewer than asked for are an error. */
    byte[] range(ObjectRef ref, long offset, int length) {
        return retries.call(
                ref.getKey(),
                policy,
                remaining -> {
                    byte[] bytes = store.getRange(ref.getKey(), ref.getOffset() + offset, length);
                    if (bytes.length != length) {
                        throw corrupt(ref, bytes.length + " bytes came instead of " + length);
                    }
                    return bytes;
                });
    }

    private ObjectInfo ranges(ObjectRef ref, Path part) {
        CRC32C crc = new CRC32C();
        try (FileChannel out =
                FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < ref.getLength(); at += RANGE_BYTES) {
                int length = (int) Math.min(RANGE_BYTES, ref.getLength() - at);
                byte[] bytes = store.getRange(ref.getKey(), ref.getOffset() + at, length);
                crc.update(bytes);
                for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
                    out.write(left);
                }
            }
            return new ObjectInfo(ref.getKey(), ref.getLength(), (int) crc.getValue());
        } catch (IOException e) {
            throw LocalDisk.failed(ref.getKey(), "write " + part, e);
        }
    }

    private static void check(ObjectRef ref, ObjectInfo got) {
        if (got.length() != ref.getLength()) {
            throw corrupt(ref, "it has " + got.length() + " bytes instead of " + ref.getLength());
        }
        Integer crc32c = got.crc32c();
        if (crc32c == null || crc32c != ref.getCrc32C()) {
            String actual = crc32c == null ? "unknown" : Checksums.hex(crc32c);
            throw corrupt(
                    ref,
                    "its CRC32C is " + actual + " instead of " + Checksums.hex(ref.getCrc32C()));
        }
    }

    private static ObjectStoreException corrupt(ObjectRef ref, String problem) {
        return new ObjectStoreException(
                Kind.CORRUPT, ref.getKey(), ref.getKey() + " is damaged: " + problem, null);
    }
}
