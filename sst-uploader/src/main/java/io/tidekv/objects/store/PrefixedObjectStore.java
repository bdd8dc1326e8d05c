package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A view of another store's objects below a prefix. In the view of a cluster, whose prefix is a
 * number, names {@code of/<cluster>/…} are those of another cluster's objects, which can be read.
 */
final class PrefixedObjectStore implements ObjectStore {
    private final ObjectStore base;
    private final String prefix;

    private final boolean owning;
    private final boolean seesOthers;

    private PrefixedObjectStore(ObjectStore base, String prefix, boolean owning) {
        this.base = base;
        this.prefix = ObjectNames.check(prefix) + "/";
        this.owning = owning;
        this.seesOthers = prefix.matches("[1-9][0-9]*");
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
        ObjectInfo info = base.head(readable(name));
        return info == null ? null : named(name, info);
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        return base.get(readable(name), bytesMax);
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        return base.getRange(readable(name), offset, length);
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        return named(name, base.getToFile(readable(name), target));
    }

    @Override
    public List<ObjectInfo> list(String namePrefix, String after, int limit) {
        ObjectNames.checkPrefix(namePrefix);
        String fullAfter = after.isEmpty() ? "" : prefix + ObjectNames.check(after);
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

    /** Of an object that may be written. */
    private String full(String name) {
        if (seesOthers && name.startsWith(ObjectNames.FOREIGN)) {
            throw new ObjectStoreException(
                    Kind.INVALID,
                    name,
                    name + " belongs to another cluster: it is only read",
                    null);
        }
        return prefix + ObjectNames.check(name);
    }

    private String readable(String name) {
        String foreign = seesOthers ? ObjectNames.inAllClusters(name) : null;
        return foreign == null ? prefix + ObjectNames.check(name) : foreign;
    }

    private ObjectInfo relative(ObjectInfo info) {
        return named(info.name().substring(prefix.length()), info);
    }

    private static ObjectInfo named(String name, ObjectInfo info) {
        return new ObjectInfo(name, info.length(), info.crc32c(), info.modifiedMillis());
    }
}
