package io.tidekv.objects.hydrate;

import io.tidekv.common.Threads;
import io.tidekv.objects.hydrate.CacheIndex.Entry;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.Folders;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files of the object store on the local disk, named by object. However many ask for one object, it
 * is fetched once; a file is only seen whole and with the checksum that its reference names.
 *
 * <p>A file that was handed out stays for {@link CacheOptions#idleMin}; a caller that needs it for
 * longer makes a hard link ({@link #link}) or pins it. Thread-safe. Failures are {@link
 * ObjectStoreException}s naming the object: NOT_FOUND, CORRUPT, UNAVAILABLE, FULL.
 */
public final class SstCache implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SstCache.class);
    private static final int QUEUED_MAX = 100_000;
    private static final int RANGES_QUEUED_MAX = 10_000;

    private final CacheOptions options;
    private final StoreContext context;
    private final CacheFolder folder;
    private final Fetcher fetcher;
    private final ExecutorService pool;

    /** Somebody waits for each range; they do not queue behind whole files. */
    private final ExecutorService rangePool;

    private final CacheIndex index = new CacheIndex();
    private final ConcurrentHashMap<String, CompletableFuture<Path>> inFlight =
            new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<byte[]>> ranges = new ConcurrentHashMap<>();
    private final AtomicLong lastRange = new AtomicLong();
    private final CacheCounters counters = new CacheCounters();

    /** Bytes of files that others hold in part, see {@link #hold}. */
    private final AtomicLong partBytes = new AtomicLong();

    private volatile Runnable pressure = () -> {};
    private volatile boolean closed;

    private SstCache(
            ObjectStore store, CacheOptions options, StoreContext context, CacheFolder folder) {
        this.options = options;
        this.context = context;
        this.folder = folder;
        this.fetcher = new Fetcher(store, options.fetchDeadline(), context);
        this.pool = Threads.pool("sst-fetch", options.fetchesMax(), QUEUED_MAX);
        this.rangePool = Threads.pool("sst-range", options.fetchesMax(), RANGES_QUEUED_MAX);
    }

    /** Takes over the folder with what a former process has left there. */
    public static SstCache open(ObjectStore store, CacheOptions options, StoreContext context) {
        try {
            CacheFolder folder = CacheFolder.open(options.folder());
            SstCache cache = new SstCache(store, options, context, folder);
            long longAgo = context.clock().monotonicNanos() - options.idleMin().toNanos();
            for (Map.Entry<String, Long> file : folder.scan().entrySet()) {
                cache.index.put(
                        file.getKey(), new Entry(file.getValue(), folder.trusted(), longAgo));
            }
            cache.evict();
            return cache;
        } catch (IOException e) {
            throw LocalDisk.failed("", "open cache folder " + options.folder(), e);
        }
    }

    /** The object's file, fetched if need be. Blocks for at most the fetches before and its own. */
    public Path fetch(ObjectRef ref) {
        try {
            return fetchAsync(ref).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ObjectStoreException(
                    Kind.UNAVAILABLE,
                    ref.getKey(),
                    "interrupted while fetching " + ref.getKey(),
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException failure) {
                throw failure;
            }
            throw new IllegalStateException("fetch of " + ref.getKey(), e.getCause());
        }
    }

    /** As {@link #fetch}, for fetching many at once. The future fails with ObjectStoreException. */
    public CompletableFuture<Path> fetchAsync(ObjectRef ref) {
        String file = CacheFolder.fileName(ref);
        if (isReady(file, ref)) {
            counters.hit();
            return CompletableFuture.completedFuture(folder.path(file));
        }
        if (closed) {
            return CompletableFuture.failedFuture(closed(ref.getKey()));
        }
        CompletableFuture<Path> mine = new CompletableFuture<>();
        CompletableFuture<Path> other = inFlight.putIfAbsent(file, mine);
        if (other != null) {
            return other.copy();
        }
        try {
            pool.execute(() -> run(file, ref, mine));
        } catch (RejectedExecutionException e) {
            inFlight.remove(file, mine);
            mine.completeExceptionally(tooMany(ref.getKey(), e));
        }
        return mine.copy();
    }

    /**
     * Bytes {@code [offset, offset + length)} of what {@code ref} refers to. They are not kept, nor
     * can they be compared with its checksum: the caller must be able to tell damage. The future
     * fails with ObjectStoreException.
     */
    public CompletableFuture<byte[]> fetchRange(ObjectRef ref, long offset, int length) {
        CompletableFuture<byte[]> result = new CompletableFuture<>();
        String object = ref.getKey();
        if (closed) {
            result.completeExceptionally(closed(object));
            return result;
        }
        long id = lastRange.incrementAndGet();
        ranges.put(id, result);
        result.whenComplete((bytes, failure) -> ranges.remove(id));
        try {
            rangePool.execute(() -> runRange(ref, offset, length, result));
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(tooMany(object, e));
        }
        return result;
    }

    private static ObjectStoreException tooMany(String object, RejectedExecutionException e) {
        return new ObjectStoreException(
                Kind.UNAVAILABLE, object, object + ": too many fetches are queued", e);
    }

    private void runRange(
            ObjectRef ref, long offset, int length, CompletableFuture<byte[]> result) {
        long start = context.clock().monotonicNanos();
        try {
            byte[] bytes = fetcher.range(ref, offset, length);
            counters.fetchedRange(length, context.clock().monotonicNanos() - start);
            result.complete(bytes);
        } catch (RuntimeException e) {
            counters.failure();
            result.completeExceptionally(e);
        }
    }

    /**
     * Counts so many bytes more, or fewer, towards the budget that are on the same disk outside of
     * this cache.
     */
    public void hold(long bytes) {
        partBytes.addAndGet(bytes);
        if (bytes > 0 && excessBytes() > 0) {
            evict();
            if (excessBytes() > 0) {
                pressure.run();
            }
        }
    }

    private void run(String file, ObjectRef ref, CompletableFuture<Path> result) {
        try {
            Path path = ifPresent(ref);
            if (path == null) {
                path = fetchNow(file, ref);
            }
            inFlight.remove(file, result);
            result.complete(path);
        } catch (RuntimeException e) {
            inFlight.remove(file, result);
            counters.failure();
            result.completeExceptionally(e);
        }
    }

    private Path fetchNow(String file, ObjectRef ref) {
        long start = context.clock().monotonicNanos();
        Path path = folder.path(file);
        Path part = folder.path(file + CacheFolder.PART);
        fetcher.fetch(ref, part);
        try {
            Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Folders.deleteQuietly(part);
            throw LocalDisk.failed(ref.getKey(), "rename " + part, e);
        }
        admit(file, ref.getLength());
        counters.fetched(ref.getLength(), context.clock().monotonicNanos() - start);
        return path;
    }

    /** The object's file if it is here. A file of doubtful origin is read to check it first. */
    public @Nullable Path ifPresent(ObjectRef ref) {
        String file = CacheFolder.fileName(ref);
        if (isReady(file, ref)) {
            return folder.path(file);
        }
        Entry entry = index.use(file, context.clock().monotonicNanos());
        return entry != null && verify(file, ref) ? folder.path(file) : null;
    }

    /** Makes a hard link at {@code target} if the object is here; says whether it did. */
    public boolean linkIfPresent(ObjectRef ref, Path target) {
        Path path = ifPresent(ref);
        if (path == null) {
            return false;
        }
        try {
            Files.createLink(target, path);
            return true;
        } catch (IOException e) {
            throw LocalDisk.failed(ref.getKey(), "link " + path + " to " + target, e);
        }
    }

    /** Makes a hard link at {@code target}, which must not exist; fetches the object if need be. */
    public void link(ObjectRef ref, Path target) {
        Path path = fetch(ref);
        try {
            Files.createLink(target, path);
        } catch (IOException e) {
            throw LocalDisk.failed(ref.getKey(), "link " + path + " to " + target, e);
        }
    }

    /**
     * Takes a hard link of a file that was just uploaded as {@code ref}, or a copy where a link is
     * not possible. The caller vouches for its content and never writes to it again.
     */
    public void adopt(ObjectRef ref, Path source) {
        String file = CacheFolder.fileName(ref);
        Path path = folder.path(file);
        try {
            if (Files.size(source) != ref.getLength()) {
                throw new ObjectStoreException(
                        Kind.CORRUPT, ref.getKey(), source + " is not " + ref.getKey(), null);
            }
            linkOrCopy(source, path, file);
            admit(file, ref.getLength());
        } catch (IOException e) {
            throw LocalDisk.failed(ref.getKey(), "link " + source + " to " + path, e);
        }
    }

    private void linkOrCopy(Path source, Path path, String file) throws IOException {
        try {
            Files.createLink(path, source);
        } catch (FileAlreadyExistsException e) {
            // Fetched meanwhile, or adopted twice: equal by name.
        } catch (UnsupportedOperationException | IOException e) {
            Path part = folder.path(file + CacheFolder.PART);
            Files.copy(source, part, StandardCopyOption.REPLACE_EXISTING);
            Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Keeps the object's file, once it is here, from eviction until the pin is closed. */
    public Pin pin(ObjectRef ref) {
        String file = CacheFolder.fileName(ref);
        index.pin(file);
        return new Pin(() -> index.unpin(file));
    }

    /**
     * What to do when there is more than the budget allows and all of it is linked, pinned or just
     * used: whoever holds links should drop some and call {@link #evict}. Must not block.
     */
    public void onPressure(Runnable action) {
        pressure = action;
    }

    /** Bytes above the budget; at most 0 when there are none. */
    public long excessBytes() {
        return index.bytes() + partBytes.get() - options.bytesMax();
    }

    /** Whether so many bytes more are within the budget. */
    public boolean hasRoom(long more) {
        return index.bytes() + partBytes.get() + more <= options.bytesMax();
    }

    public CacheStats stats() {
        return counters.stats(
                index.bytes() + partBytes.get(),
                partBytes.get(),
                index.files(),
                inFlight.size() + ranges.size(),
                options.bytesMax());
    }

    private boolean isReady(String file, ObjectRef ref) {
        Entry entry = index.use(file, context.clock().monotonicNanos());
        if (entry == null || !entry.verified() || entry.length() != ref.getLength()) {
            return false;
        }
        if (Files.exists(folder.path(file))) {
            return true;
        }
        index.remove(file);
        return false;
    }

    /** Compares a file with its reference; drops it when it is something else. */
    private boolean verify(String file, ObjectRef ref) {
        Path path = folder.path(file);
        try {
            if (Files.size(path) == ref.getLength() && Checksums.crc32c(path) == ref.getCrc32C()) {
                admit(file, ref.getLength());
                return true;
            }
            log.warn("cached file {} is damaged: dropping it", path);
            counters.damaged();
        } catch (IOException e) {
            log.warn("cached file {} cannot be read: dropping it", path, e);
        }
        index.remove(file);
        Folders.deleteQuietly(path);
        return false;
    }

    private void admit(String file, long length) {
        index.put(file, new Entry(length, true, context.clock().monotonicNanos()));
        evict();
        if (excessBytes() > 0) {
            pressure.run();
        }
    }

    /** Removes what nobody uses until the budget is met, or nothing more can go. */
    public void evict() {
        long idleSince = context.clock().monotonicNanos() - options.idleMin().toNanos();
        long bytesMax = Math.max(0, options.bytesMax() - partBytes.get());
        int evicted = index.evict(bytesMax, idleSince, this::removeUnlinked);
        counters.evicted(evicted);
    }

    private boolean removeUnlinked(String file) {
        if (folder.isLinked(file)) {
            return false;
        }
        Folders.deleteQuietly(folder.path(file));
        return true;
    }

    private static ObjectStoreException closed(String object) {
        return new ObjectStoreException(
                Kind.UNAVAILABLE, object, object + ": the cache is closed", null);
    }

    /** Ends fetches under way, whose callers get UNAVAILABLE, and leaves a clean folder. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        pool.shutdownNow();
        rangePool.shutdownNow();
        inFlight.forEach(
                (file, fetch) -> fetch.completeExceptionally(closed(CacheFolder.keyOf(file))));
        ranges.forEach((id, fetch) -> fetch.completeExceptionally(closed("a range")));
        try {
            folder.close();
        } catch (IOException e) {
            log.warn("cannot leave cache folder {} in order", options.folder(), e);
        }
    }
}
