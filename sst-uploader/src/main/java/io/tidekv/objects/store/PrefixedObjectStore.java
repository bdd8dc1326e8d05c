package io.tidekv.objects.store;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A view of another store's objects below a prefix. */
final class PrefixedObjectStore implements ObjectStore {
    private final ObjectStore base;
    private final String prefix;

    private final boolean owning;

    private PrefixedObjectStore(ObjectStore base, String prefix, boolean owning) {
        this.base = base;
        this.prefix = ObjectNames.check(prefix) + "/";
        this.owning = owning;
    }

    /** Closing the view leaves the other store open. */
    static ObjectStore view(ObjectStore base, String prefix) {
        return new PrefixedObjectStore(base, prefix, false);
    }

    /** Closing the view closes the other store. */
    static ObjectStore owning(ObjectStore base, String prefix) {
        return new PrefixedObjectStore(base, prefix, true);
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        base.putIfAbsent(full(name), bytes);
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        base.putFileIfAbsent(full(name), file, crc32c);
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        ObjectInfo info = base.head(full(name));
        return info == null ? null : relative(info);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        return base.get(full(name), bytesMax);
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        return base.getRange(full(name), offset, length);
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        return relative(base.getToFile(full(name), target));
    }

    @Override
    public List<ObjectInfo> list(String namePrefix, String after, int limit) {
        ObjectNames.checkPrefix(namePrefix);
        String fullAfter = after.isEmpty() ? "" : full(after);
        return base.list(prefix + namePrefix, fullAfter, limit).stream()
                .map(this::relative)
                .toList();
    }

    @Override
    public void delete(String name) {
        base.delete(full(name));
    }

    @Override
    public String describe() {
        return base.describe() + ", below " + prefix.substring(0, prefix.length() - 1);
    }

    @Override
    public void close() {
        if (owning) {
            base.close();
        }
    }

    private String full(String name) {
        return prefix + ObjectNames.check(name);
    }

    private ObjectInfo relative(ObjectInfo info) {
        return new ObjectInfo(
                info.name().substring(prefix.length()),
                info.length(),
                info.crc32c(),
                info.modifiedMillis());
    }
}
