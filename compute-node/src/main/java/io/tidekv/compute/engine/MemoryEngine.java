package io.tidekv.compute.engine;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The in-memory twin of a tablet: applies serialised RocksDB batches and gives consistent
 * snapshots. A key holds its versions newest first; those that no snapshot can see any more are
 * dropped when the key is written again. Thread-safe.
 */
public final class MemoryEngine {
    private final Map<Cf, ConcurrentNavigableMap<byte[], Version>> families =
            new EnumMap<>(Cf.class);
    private final TreeMap<Long, Integer> openSnapshots = new TreeMap<>();
    private volatile long sequence;

    public MemoryEngine() {
        for (Cf cf : Cf.values()) {
            families.put(cf, new ConcurrentSkipListMap<>(Arrays::compareUnsigned));
        }
    }

    /** A value, or null for a deletion, written at {@code sequence}. */
    static final class Version {
        final long sequence;
        final byte @Nullable [] value;
        final @Nullable Version older;

        Version(long sequence, byte @Nullable [] value, @Nullable Version older) {
            this.sequence = sequence;
            this.value = value;
            this.older = older;
        }

        @Nullable Version at(long limit) {
            Version version = this;
            while (version != null && version.sequence > limit) {
                version = version.older;
            }
            return version;
        }
    }

    /** Applies a serialised batch; snapshots see all of it or nothing. */
    public synchronized void apply(ByteString batch) {
        long next = sequence + 1;
        long oldest = openSnapshots.isEmpty() ? sequence : openSnapshots.firstKey();
        WriteBatchReader.read(
                batch,
                new WriteBatchReader.Handler() {
                    @Override
                    public void put(Cf cf, byte[] key, byte[] value) {
                        write(cf, key, value, next, oldest);
                    }

                    @Override
                    public void delete(Cf cf, byte[] key) {
                        write(cf, key, null, next, oldest);
                    }

                    @Override
                    public void deleteRange(Cf cf, byte[] from, byte[] to) {
                        if (Arrays.compareUnsigned(from, to) < 0) {
                            for (byte[] key : family(cf).subMap(from, to).keySet()) {
                                write(cf, key, null, next, oldest);
                            }
                        }
                    }
                });
        sequence = next;
    }

    /** A view of keys in {@code [start, end)}; an empty {@code end} has no bound. */
    public synchronized KvSnapshot snapshot(byte[] start, byte[] end) {
        openSnapshots.merge(sequence, 1, Integer::sum);
        return new MemorySnapshot(this, sequence, start, end.length == 0 ? null : end);
    }

    synchronized void release(long seen) {
        openSnapshots.computeIfPresent(seen, (k, count) -> count == 1 ? null : count - 1);
    }

    ConcurrentNavigableMap<byte[], Version> family(Cf cf) {
        return Objects.requireNonNull(families.get(cf));
    }

    private void write(Cf cf, byte[] key, byte @Nullable [] value, long next, long oldest) {
        ConcurrentNavigableMap<byte[], Version> family = family(cf);
        Version before = family.get(key);
        Version kept = before == null ? null : prune(before, oldest);
        if (value == null && kept == null) {
            family.remove(key);
        } else {
            family.put(key, new Version(next, value, kept));
        }
    }

    /** The versions that a snapshot at {@code oldest} or later can still see. */
    private static @Nullable Version prune(Version version, long oldest) {
        if (version.sequence <= oldest) {
            return version.value == null
                    ? null
                    : new Version(version.sequence, version.value, null);
        }
        Version older = version.older;
        return new Version(
                version.sequence, version.value, older == null ? null : prune(older, oldest));
    }
}
