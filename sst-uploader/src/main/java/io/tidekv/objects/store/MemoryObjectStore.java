package io.tidekv.objects.store;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** Objects on the heap, for simulations and tests. Keeps no thread and outlives {@link #close}. */
public final class MemoryObjectStore implements ObjectStore {
    /** Content, and when it was stored. */
    private static final class Stored {
        private final byte[] bytes;
        private final long atMillis;

        Stored(byte[] bytes, long atMillis) {
            this.bytes = bytes;
            this.atMillis = atMillis;
        }
    }

    private final ConcurrentSkipListMap<String, Stored> objects = new ConcurrentSkipListMap<>();
    private final Clock clock;

    public MemoryObjectStore() {
        this(SystemClock.INSTANCE);
    }

    /** Its objects are dated by {@code clock}. */
    public MemoryObjectStore(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        Stored stored = new Stored(bytes.clone(), clock.wallMillis());
        Stored there = objects.putIfAbsent(ObjectNames.check(name), stored);
        if (there != null && !Arrays.equals(there.bytes, bytes)) {
            throw new ObjectStoreException(
                    Kind.ALREADY_EXISTS, name, name + " exists with other content", null);
        }
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        byte[] bytes = readLocal(ObjectNames.check(name), file);
        if (Checksums.crc32c(bytes) != crc32c) {
            throw StoreErrors.changed(name, file);
        }
        putIfAbsent(name, bytes);
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        Stored stored = objects.get(ObjectNames.check(name));
        return stored == null ? null : info(name, stored);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        byte[] bytes = existing(name).bytes;
        if (bytes.length > bytesMax) {
            throw StoreErrors.tooLong(name, bytes.length, bytesMax);
        }
        return bytes.clone();
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        StoreErrors.checkRange(name, offset, length);
        byte[] bytes = existing(name).bytes;
        if (offset + length > bytes.length) {
            throw StoreErrors.endsBefore(name, bytes.length, offset + length);
        }
        return Arrays.copyOfRange(bytes, (int) offset, (int) offset + length);
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        Stored stored = existing(name);
        try {
            Files.write(
                    target, stored.bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "write " + target, e);
        }
        return info(name, stored);
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        ObjectNames.checkPrefix(prefix);
        List<ObjectInfo> found = new ArrayList<>();
        boolean past = after.compareTo(prefix) >= 0;
        for (Map.Entry<String, Stored> entry :
                objects.tailMap(past ? after : prefix, !past).entrySet()) {
            if (found.size() == limit || !entry.getKey().startsWith(prefix)) {
                break;
            }
            found.add(info(entry.getKey(), entry.getValue()));
        }
        return found;
    }

    @Override
    public void delete(String name) {
        objects.remove(ObjectNames.check(name));
    }

    /** Puts {@code bytes} in the object's place, as rot or an attacker would. */
    public void damage(String name, byte[] bytes) {
        Stored there = existing(name);
        objects.put(name, new Stored(bytes.clone(), there.atMillis));
    }

    @Override
    public String describe() {
        return "memory:";
    }

    @Override
    public void close() {}

    private Stored existing(String name) {
        Stored stored = objects.get(ObjectNames.check(name));
        if (stored == null) {
            throw StoreErrors.notFound(name, describe());
        }
        return stored;
    }

    private static byte[] readLocal(String name, Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "read " + file, e);
        }
    }

    private static ObjectInfo info(String name, Stored stored) {
        return new ObjectInfo(
                name, stored.bytes.length, Checksums.crc32c(stored.bytes), stored.atMillis);
    }
}
