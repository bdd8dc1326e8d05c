package io.tidekv.objects.hydrate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What is in the cache, least recently used first. Thread-safe; does no I/O. */
final class CacheIndex {
    /** A file, and whether its content has been compared with its checksum. */
    record Entry(long length, boolean verified, long usedNanos) {}

    private final LinkedHashMap<String, Entry> entries = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<String, Integer> pins = new LinkedHashMap<>();
    private long bytes;

    /** Replaces an entry of the same name. */
    synchronized void put(String file, Entry entry) {
        Entry old = entries.put(file, entry);
        bytes += entry.length() - (old == null ? 0 : old.length());
    }

    /** The entry, which becomes the most recently used one. */
    synchronized @Nullable Entry use(String file, long nowNanos) {
        Entry entry = entries.get(file);
        if (entry != null) {
            entries.put(file, new Entry(entry.length(), entry.verified(), nowNanos));
        }
        return entry;
    }

    synchronized void remove(String file) {
        Entry entry = entries.remove(file);
        if (entry != null) {
            bytes -= entry.length();
        }
    }

    synchronized void pin(String file) {
        pins.merge(file, 1, Integer::sum);
    }

    synchronized void unpin(String file) {
        pins.computeIfPresent(file, (name, count) -> count == 1 ? null : count - 1);
    }

    synchronized long bytes() {
        return bytes;
    }

    synchronized int files() {
        return entries.size();
    }

    /**
     * Takes out the least recently used files until at most {@code bytesMax} are left. Files that
     * are pinned, were used after {@code idleSinceNanos}, or that {@code remove} refuses to remove
     * stay. Under the lock, so that no file is handed out while it is removed.
     */
    synchronized int evict(long bytesMax, long idleSinceNanos, Predicate<String> remove) {
        if (bytes <= bytesMax) {
            return 0;
        }
        List<String> removed = new ArrayList<>();
        long left = bytes;
        for (Map.Entry<String, Entry> candidate : entries.entrySet()) {
            if (left <= bytesMax) {
                break;
            }
            boolean idle = candidate.getValue().usedNanos() - idleSinceNanos <= 0;
            if (idle && !pins.containsKey(candidate.getKey()) && remove.test(candidate.getKey())) {
                left -= candidate.getValue().length();
                removed.add(candidate.getKey());
            }
        }
        removed.forEach(this::remove);
        return removed.size();
    }
}
