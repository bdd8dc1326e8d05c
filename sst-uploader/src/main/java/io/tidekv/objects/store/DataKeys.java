package io.tidekv.objects.store;

import io.tidekv.common.Randomness;
import io.tidekv.objects.crypto.DataKey;
import io.tidekv.objects.crypto.MasterKey;
import io.tidekv.objects.crypto.SealBroken;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The data keys of an object store, wrapped, as objects {@code keys/<id>} beside what they encrypt.
 * The first is made at the first use. Thread-safe.
 */
final class DataKeys {
    static final String PREFIX = "keys/";
    private static final int WRAPPED_MAX = 1024;

    private final ObjectStore base;
    private final MasterKey master;
    private final Randomness randomness;
    private final Map<Long, DataKey> known = new ConcurrentHashMap<>();
    private @Nullable DataKey newest;

    DataKeys(ObjectStore base, MasterKey master, Randomness randomness) {
        this.base = base;
        this.master = master;
        this.randomness = randomness;
    }

    /** The key that encrypts. */
    synchronized DataKey newest() {
        DataKey current = newest;
        if (current == null) {
            List<ObjectInfo> there = base.list(PREFIX, "", 10_000);
            current = there.isEmpty() ? make(1) : load(there.get(there.size() - 1).name());
            newest = current;
        }
        return current;
    }

    /** Makes a new key, which encrypts from now on here, and elsewhere from the next start on. */
    synchronized DataKey rotate() {
        newest = null;
        DataKey next = make(newest().id() + 1);
        newest = next;
        return next;
    }

    DataKey byId(long id) {
        DataKey there = known.get(id);
        return there != null ? there : load(name(id));
    }

    private DataKey make(long id) {
        byte[] bytes = random(32);
        try {
            base.putIfAbsent(name(id), master.wrap(new DataKey(id, bytes), random(16)));
        } catch (ObjectStoreException e) {
            if (e.kind() != Kind.ALREADY_EXISTS) {
                throw e;
            }
            // Another process was faster: its key is as good.
        }
        return load(name(id));
    }

    private DataKey load(String name) {
        try {
            long id = Long.parseUnsignedLong(name.substring(PREFIX.length()), 16);
            DataKey key = master.unwrap(id, base.get(name, WRAPPED_MAX));
            known.put(id, key);
            return key;
        } catch (SealBroken | NumberFormatException e) {
            throw new ObjectStoreException(
                    Kind.FORBIDDEN,
                    name,
                    "the master key is not the one that data key " + name + " was wrapped with",
                    e);
        } catch (ObjectStoreException e) {
            if (e.kind() != Kind.NOT_FOUND) {
                throw e;
            }
            throw new ObjectStoreException(
                    Kind.FORBIDDEN, name, "the data key " + name + " is gone", e);
        }
    }

    byte[] random(int length) {
        byte[] bytes = new byte[length];
        synchronized (randomness) {
            randomness.nextBytes(bytes);
        }
        return bytes;
    }

    private static String name(long id) {
        return PREFIX + "0".repeat(16 - Long.toHexString(id).length()) + Long.toHexString(id);
    }
}
