package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.rocks.FileIndex.File;
import io.tidekv.compute.tablet.table.GranuleMap;
import io.tidekv.compute.tablet.table.UnknownTable;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.manifest.ObjectKeys;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one tablet that are here in part. Which granules a read needs is known from a file's
 * own index before RocksDB reads: a hole is not merely damage that RocksDB reports, one in four
 * thousand million would pass for an empty block. Thread-safe.
 */
final class Granules {
    private static final Logger log = LoggerFactory.getLogger(Granules.class);
    static final String PART = ".part";

    /** Makes a file with its end visible to RocksDB unless something is there; says whether. */
    interface Placing {
        boolean place(SparseTable table, Path written) throws IOException;
    }

    private final SstCache cache;
    private final GranuleCounters counters;
    private final Map<Long, SparseTable> tables = new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<@Nullable SparseTable>> opening =
            new ConcurrentHashMap<>();

    /** Files that are, or have been, here in part: readers that are open may have seen holes. */
    private final Set<Long> seen = ConcurrentHashMap.newKeySet();

    private final Set<Long> refused = ConcurrentHashMap.newKeySet();
    private long bytes;
    private long heap;
    private int count;
    private boolean closed;

    Granules(SstCache cache, GranuleCounters counters) {
        this.cache = cache;
        this.counters = counters;
    }

    boolean isOff() {
        return counters.settings().fromBytes() == 0;
    }

    GranuleCounters counters() {
        return counters;
    }

    /** Whether a file that is not here whole is read in granules. */
    boolean suits(File file) {
        long length = file.object().getLength();
        return !isOff()
                && length >= counters.settings().fromBytes()
                && file.tailBytes() > 0
                && file.tailBytes() < length
                && !ObjectKeys.isPack(file.object().getKey())
                && !refused.contains(file.number());
    }

    @Nullable SparseTable table(long number) {
        return tables.get(number);
    }

    Collection<SparseTable> tables() {
        return tables.values();
    }

    boolean hasSeen(long number) {
        return seen.contains(number);
    }

    /**
     * The file with at least its end here, which is fetched if need be; null when it has to be
     * fetched whole.
     *
     * @param path where it is going to be
     */
    CompletableFuture<@Nullable SparseTable> open(File file, Path path, Placing placing) {
        SparseTable known = tables.get(file.number());
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        CompletableFuture<@Nullable SparseTable> mine = new CompletableFuture<>();
        CompletableFuture<@Nullable SparseTable> other = opening.putIfAbsent(file.number(), mine);
        if (other != null) {
            return other;
        }
        known = tables.get(file.number());
        if (known != null) {
            opening.remove(file.number(), mine);
            mine.complete(known);
            return mine;
        }
        int tail = Math.toIntExact(file.tailBytes());
        cache.fetchRange(file.object(), file.object().getLength() - tail, tail)
                .thenApply(end -> opened(file, path, end, placing))
                .whenComplete(
                        (table, failure) -> {
                            opening.remove(file.number(), mine);
                            if (failure == null) {
                                mine.complete(table);
                            } else {
                                mine.completeExceptionally(failure);
                            }
                        });
        return mine;
    }

    private @Nullable SparseTable opened(File file, Path path, byte[] tail, Placing placing) {
        GranuleMap map;
        try {
            int granule = counters.settings().bytes();
            map = GranuleMap.read(tail, file.object().getLength(), granule);
        } catch (UnknownTable e) {
            log.info("{} is read whole: {}", file.object().getKey(), e.getMessage());
            refused.add(file.number());
            return null;
        }
        if (!reserve(map.heapBytes())) {
            return null;
        }
        SparseTable table = new SparseTable(file, path, map, cache, this::account);
        boolean placed = false;
        Path part = path.resolveSibling(path.getFileName() + PART);
        try {
            SparseTable.write(part, file.object().getLength(), tail);
            placed = placing.place(table, part);
            Files.deleteIfExists(part);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            if (placed) {
                account(tail.length);
            } else {
                free(map.heapBytes());
            }
        }
        return placed ? table : null;
    }

    /** The table is at its path. */
    void add(SparseTable table) {
        seen.add(table.file().number());
        tables.put(table.file().number(), table);
    }

    /** It is whole, or gone. */
    void remove(SparseTable table) {
        if (tables.remove(table.file().number(), table)) {
            free(table.map().heapBytes());
            account(-table.abandon() - table.file().tailBytes());
        }
    }

    void retain(LongPredicate files) {
        for (SparseTable table : List.copyOf(tables.values())) {
            if (!files.test(table.file().number())) {
                remove(table);
            }
        }
        seen.removeIf(number -> !files.test(number));
        refused.removeIf(number -> !files.test(number));
    }

    private synchronized boolean reserve(long heapBytes) {
        if (closed) {
            return true;
        }
        boolean room = counters.add(1, heapBytes);
        if (room) {
            count++;
            heap += heapBytes;
        }
        return room;
    }

    private synchronized void free(long heapBytes) {
        if (!closed) {
            count--;
            heap -= heapBytes;
            counters.remove(1, heapBytes);
        }
    }

    private void account(long more) {
        synchronized (this) {
            if (closed) {
                return;
            }
            bytes += more;
        }
        cache.hold(more);
    }

    /** The tablet is closed. Readers that are open go on; what they use is not counted any more. */
    void close() {
        long left;
        synchronized (this) {
            closed = true;
            left = bytes;
            counters.remove(count, heap);
        }
        cache.hold(-left);
    }
}
