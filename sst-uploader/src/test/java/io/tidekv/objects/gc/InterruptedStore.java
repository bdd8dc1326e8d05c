package io.tidekv.objects.gc;

import io.tidekv.objects.store.ObjectStore;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Another store; something else happens before each call, of the many range reads seldom. */
record InterruptedStore(ObjectStore base, Runnable meanwhile, Runnable seldom)
        implements ObjectStore {
    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        meanwhile.run();
        base.putIfAbsent(name, bytes);
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        meanwhile.run();
        base.putFileIfAbsent(name, file, crc32c);
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        meanwhile.run();
        return base.head(name);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        meanwhile.run();
        return base.get(name, bytesMax);
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        seldom.run();
        return base.getRange(name, offset, length);
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        meanwhile.run();
        return base.getToFile(name, target);
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        meanwhile.run();
        return base.list(prefix, after, limit);
    }

    @Override
    public void delete(String name) {
        meanwhile.run();
        base.delete(name);
    }

    @Override
    public String describe() {
        return base.describe();
    }

    @Override
    public void close() {}
}
