package io.tidekv.objects.gc;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidekv.common.Randomness;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was found dead and waits for its grace period, as immutable objects {@code gc/…} that the
 * store dates: a line that names the format, a name per line, and a last line with their number and
 * CRC32C.
 */
final class DeletionLists {
    private static final Logger log = LoggerFactory.getLogger(DeletionLists.class);
    static final String PREFIX = "gc/";
    static final int NAMES_MAX = 100_000;
    private static final long BYTES_MAX = 200L << 20;
    private static final String HEAD = "tidekv-deletion-list 1";

    private final ObjectStore store;
    private final Randomness randomness;

    DeletionLists(ObjectStore store, Randomness randomness) {
        this.store = store;
        this.randomness = randomness;
    }

    /** One list; {@code modifiedMillis} by the store's clock. */
    record DeletionList(String name, long modifiedMillis, List<String> names) {}

    /** All that are there. One that is damaged is of no use and removed. */
    List<DeletionList> read() {
        List<DeletionList> lists = new ArrayList<>();
        for (ObjectInfo info : store.list(PREFIX, "", 10_000)) {
            DeletionList list = read(info);
            if (list != null) {
                lists.add(list);
            }
        }
        return lists;
    }

    private @Nullable DeletionList read(ObjectInfo info) {
        try {
            List<String> names = decode(store.get(info.name(), BYTES_MAX));
            if (names != null) {
                return new DeletionList(info.name(), info.modifiedMillis(), names);
            }
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return null;
            }
            if (e.kind() != Kind.CORRUPT) {
                throw e;
            }
        }
        log.warn("deletion list {} is damaged: its objects get a new grace period", info.name());
        store.delete(info.name());
        return null;
    }

    /** Writes a list and returns it with the store's date; its names may be none. */
    DeletionList write(Collection<String> names) {
        String name = PREFIX + randomness.nextUuid();
        store.putIfAbsent(name, encode(names));
        ObjectInfo info = store.head(name);
        if (info == null || info.modifiedMillis() == ObjectInfo.UNKNOWN_TIME) {
            throw new CollectionStopped("the object store does not date " + name);
        }
        return new DeletionList(name, info.modifiedMillis(), List.copyOf(names));
    }

    void delete(DeletionList list) {
        store.delete(list.name());
    }

    static byte[] encode(Collection<String> names) {
        StringBuilder text = new StringBuilder(HEAD).append('\n');
        names.forEach(name -> text.append(name).append('\n'));
        int crc = Checksums.crc32c(text.toString().getBytes(UTF_8));
        text.append("end ").append(names.size()).append(' ').append(Checksums.hex(crc));
        return text.append('\n').toString().getBytes(UTF_8);
    }

    /** Null when it is not whole. */
    static @Nullable List<String> decode(byte[] bytes) {
        String text = new String(bytes, UTF_8);
        int end = text.lastIndexOf("end ");
        if (!text.startsWith(HEAD + "\n") || end <= 0) {
            return null;
        }
        String body = text.substring(0, end);
        String[] lines = body.split("\n", -1);
        List<String> names = List.of(Arrays.copyOfRange(lines, 1, lines.length - 1));
        return Arrays.equals(encode(names), bytes) ? names : null;
    }
}
