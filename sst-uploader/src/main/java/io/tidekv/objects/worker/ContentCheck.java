package io.tidekv.objects.worker;

import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Reads objects at a limited rate and compares them with their checksums, each once per check.
 * Belongs to one thread.
 */
final class ContentCheck {
    private static final int CHUNK_BYTES = 4 << 20;

    private final long bytesPerSecond;
    private final Sleeper sleeper;
    private final Set<String> done = new HashSet<>();
    private long readBytes;

    /**
     * @param bytesPerSecond 0 = read nothing
     */
    ContentCheck(long bytesPerSecond, Sleeper sleeper) {
        this.bytesPerSecond = bytesPerSecond;
        this.sleeper = sleeper;
    }

    long readBytes() {
        return readBytes;
    }

    /** What is wrong with the content; empty when nothing is. */
    String problem(ObjectStore cluster, ObjectRef ref) throws InterruptedException {
        String id = ref.getKey() + "@" + ref.getOffset() + "#" + Checksums.hex(ref.getCrc32C());
        if (bytesPerSecond == 0 || done.contains(id)) {
            return "";
        }
        CRC32C crc = new CRC32C();
        try {
            for (long at = 0; at < ref.getLength(); at += CHUNK_BYTES) {
                int length = (int) Math.min(CHUNK_BYTES, ref.getLength() - at);
                crc.update(cluster.getRange(ref.getKey(), ref.getOffset() + at, length));
                readBytes += length;
                sleeper.sleep(Duration.ofNanos(1_000_000_000L * length / bytesPerSecond));
            }
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.CORRUPT || e.kind() == Kind.NOT_FOUND) {
                return String.valueOf(e.getMessage());
            }
            throw e;
        }
        if ((int) crc.getValue() != ref.getCrc32C()) {
            return "its CRC32C is "
                    + Checksums.hex((int) crc.getValue())
                    + " instead of "
                    + Checksums.hex(ref.getCrc32C());
        }
        done.add(id);
        return "";
    }
}
