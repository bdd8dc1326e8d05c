package io.tidekv.compute.tablet.rocks;

import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** An object store in memory that can be down, lose objects and count what is read. */
final class SwitchableStore implements ObjectStore {
    final ObjectStore inner;
    final Set<String> lost = ConcurrentHashMap.newKeySet();
    final AtomicInteger fetches = new AtomicInteger();
    final AtomicLong fetchedBytes = new AtomicLong();
    final AtomicInteger uploads = new AtomicInteger();
    final AtomicInteger puts = new AtomicInteger();
    final AtomicLong putBytes = new AtomicLong();
    volatile boolean down;

    SwitchableStore() {
        this(new MemoryObjectStore());
    }

    SwitchableStore(ObjectStore inner) {
        this.inner = inner;
    }

    private void check(String name) {
        if (down) {
            throw new ObjectStoreException(Kind.UNAVAILABLE, name, "the store is down", null);
        }
        if (lost.contains(name)) {
            throw new ObjectStoreException(Kind.NOT_FOUND, name, "no such object " + name, null);
        }
    }

    /** Flips a byte of an object. */
    void damage(String name) {
        byte[] bytes = inner.get(name, Long.MAX_VALUE);
        bytes[bytes.length / 2] ^= 1;
        inner.delete(name);
        inner.putIfAbsent(name, bytes);
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        check("");
        puts.incrementAndGet();
        putBytes.addAndGet(bytes.length);
        inner.putIfAbsent(name, bytes);
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        check("");
        uploads.incrementAndGet();
        puts.incrementAndGet();
        putBytes.addAndGet(file.toFile().length());
        inner.putFileIfAbsent(name, file, crc32c);
    }

    @Override
    public ObjectInfo head(String name) {
        check(name);
        return inner.head(name);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        check(name);
        return inner.get(name, bytesMax);
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        check(name);
        fetches.incrementAndGet();
        fetchedBytes.addAndGet(length);
        return inner.getRange(name, offset, length);
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        check(name);
        fetches.incrementAndGet();
        ObjectInfo info = inner.getToFile(name, target);
        fetchedBytes.addAndGet(info.length());
        return info;
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        check("");
        return inner.list(prefix, after, limit);
    }

    @Override
    public void delete(String name) {
        check(name);
        inner.delete(name);
    }

    @Override
    public String describe() {
        return "switchable";
    }

    @Override
    public void close() {
        inner.close();
    }
}
