package io.tidekv.objects.store;

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
    private final ConcurrentSkipListMap<String, byte[]> objects = new ConcurrentSkipListMap<>();

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        byte[] there = objects.putIfAbsent(ObjectNames.check(name), bytes.clone());
        if (there != null && !Arrays.equals(there, bytes)) {
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
        byte[] bytes = objects.get(ObjectNames.check(name));
        return bytes == null ? null : info(name, bytes);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        byte[] bytes = existing(name);
        if (bytes.length > bytesMax) {
            throw StoreErrors.tooLong(name, bytes.length, bytesMax);
        }
        return bytes.clone();
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        StoreErrors.checkRange(name, offset, length);
        byte[] bytes = existing(name);
        if (offset + length > bytes.length) {
            throw StoreErrors.endsBefore(name, bytes.length, offset + length);
        }
        return Arrays.copyOfRange(bytes, (int) offset, (int) offset + length);
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        byte[] bytes = existing(name);
        try {
            Files.write(target, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "write " + target, e);
        }
        return info(name, bytes);
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        ObjectNames.checkPrefix(prefix);
        List<ObjectInfo> found = new ArrayList<>();
        boolean past = after.compareTo(prefix) >= 0;
        for (Map.Entry<String, byte[]> entry :
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
        objects.put(ObjectNames.check(name), bytes.clone());
    }

    @Override
    public String describe() {
        return "memory:";
    }

    @Override
    public void close() {}

    private byte[] existing(String name) {
        byte[] bytes = objects.get(ObjectNames.check(name));
        if (bytes == null) {
            throw StoreErrors.notFound(name, describe());
        }
        return bytes;
    }

    private static byte[] readLocal(String name, Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "read " + file, e);
        }
    }

    private static ObjectInfo info(String name, byte[] bytes) {
        return new ObjectInfo(name, bytes.length, Checksums.crc32c(bytes));
    }
}
