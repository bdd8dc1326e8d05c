package io.tidekv.objects.store;

import io.tidekv.objects.store.Faults.Damage;
import io.tidekv.objects.store.Faults.Fault;
import io.tidekv.objects.store.Faults.Moment;
import io.tidekv.objects.store.Faults.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Another store with {@link Faults}. It neither retries nor notices damage to a body: its users
 * must. Does not close the other store.
 */
public final class FaultyObjectStore implements ObjectStore {
    private final ObjectStore base;
    private final Faults faults;
    private final Sleeper sleeper;

    public FaultyObjectStore(ObjectStore base, Faults faults, Sleeper sleeper) {
        this.base = base;
        this.faults = faults;
        this.sleeper = sleeper;
    }

    private <T extends @Nullable Object> T run(Operation operation, String name, Supplier<T> call) {
        Duration latency = faults.nextLatency();
        if (!latency.isZero()) {
            try {
                sleeper.sleep(latency);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw StoreErrors.interrupted(name, e);
            }
        }
        Fault fault = faults.next(operation);
        if (fault == null || fault.moment() == Moment.AFTER) {
            T result = call.get();
            if (fault == null) {
                return result;
            }
        }
        throw new ObjectStoreException(
                fault.kind(), name, name + ": injected " + fault.kind(), null);
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        run(
                Operation.PUT,
                name,
                () -> {
                    base.putIfAbsent(name, bytes);
                    return name;
                });
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        run(
                Operation.PUT,
                name,
                () -> {
                    base.putFileIfAbsent(name, file, crc32c);
                    return name;
                });
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        return run(Operation.HEAD, name, () -> base.head(name));
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        return damaged(run(Operation.GET, name, () -> base.get(name, bytesMax)));
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        return damaged(run(Operation.GET, name, () -> base.getRange(name, offset, length)));
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        ObjectInfo info = fetched(name, target);
        try {
            byte[] bytes = Files.readAllBytes(target);
            byte[] damaged = damaged(bytes);
            if (damaged == bytes) {
                return info;
            }
            Files.write(target, damaged);
            return new ObjectInfo(name, damaged.length, Checksums.crc32c(damaged));
        } catch (IOException e) {
            throw StoreErrors.failed(name, "damage " + target, e);
        }
    }

    /** Nothing is left after a failure that comes late. */
    private ObjectInfo fetched(String name, Path target) {
        try {
            return run(Operation.GET, name, () -> base.getToFile(name, target));
        } catch (ObjectStoreException e) {
            if (e.kind() != ObjectStoreException.Kind.INVALID) {
                Folders.deleteQuietly(target);
            }
            throw e;
        }
    }

    /** The same array when nothing happens to it. */
    private byte[] damaged(byte[] bytes) {
        Damage damage = bytes.length == 0 ? null : faults.nextDamage();
        if (damage == null) {
            return bytes;
        }
        int at = faults.position(bytes.length);
        if (damage == Damage.CUT_SHORT) {
            return Arrays.copyOf(bytes, at);
        }
        byte[] flipped = bytes.clone();
        flipped[at] ^= (byte) (1 << (at % 8));
        return flipped;
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        return run(Operation.LIST, prefix, () -> base.list(prefix, after, limit));
    }

    @Override
    public void delete(String name) {
        run(
                Operation.DELETE,
                name,
                () -> {
                    base.delete(name);
                    return name;
                });
    }

    @Override
    public String describe() {
        return base.describe() + " with faults";
    }

    @Override
    public void close() {}
}
