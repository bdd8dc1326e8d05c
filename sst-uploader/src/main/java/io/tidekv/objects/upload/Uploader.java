package io.tidekv.objects.upload;

import io.tidekv.common.Threads;
import io.tidekv.common.time.Scheduler;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.Retries;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts files and records into the cluster's part of the object store under fresh names. While the
 * store is down a call is repeated until its deadline and then fails with UNAVAILABLE; calls after
 * it are tried once each until one succeeds, so that nobody waits in vain. The caller tries again
 * later, under a new name. Thread-safe.
 */
public final class Uploader implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Uploader.class);
    private static final Duration PAUSE_MIN = Duration.ofMillis(100);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(5);

    private final ObjectStore store;
    private final @Nullable SstCache cache;
    private final UploadOptions options;
    private final StoreContext context;
    private final Retries retries;
    private final ExecutorService pool;
    private final UploadTracker tracker;
    private @Nullable Packer packer;
    private volatile boolean closed;
    private volatile boolean down;

    /**
     * @param store the cluster's view of the store; stays open when this is closed
     * @param cache takes uploaded files over, if given
     */
    public Uploader(
            ObjectStore store,
            @Nullable SstCache cache,
            UploadOptions options,
            StoreContext context) {
        this.store = store;
        this.cache = cache;
        this.options = options;
        this.context = context;
        this.retries = new Retries(context);
        this.pool = Threads.pool("upload", options.uploadsMax(), options.queuedMax());
        this.tracker = new UploadTracker(context.clock());
    }

    /** One whose patient uploads share objects. {@code scheduler} must outlive it. */
    public static Uploader packing(
            ObjectStore store,
            @Nullable SstCache cache,
            UploadOptions options,
            PackOptions packs,
            Scheduler scheduler,
            StoreContext context) {
        Uploader uploader = new Uploader(store, cache, options, context);
        uploader.packer =
                new Packer(packs, uploader::uuid, scheduler, context.clock(), uploader::putPack);
        return uploader;
    }

    private CompletableFuture<ObjectRef> putPack(String key, byte[] bytes) {
        return submit(
                key,
                bytes.length,
                () -> {
                    put(key, () -> store.putIfAbsent(key, bytes));
                    return ref(key, bytes.length, Checksums.crc32c(bytes));
                });
    }

    /**
     * Whether a publication that begins now should share objects with others; to be asked once for
     * each.
     */
    public boolean isSharing() {
        Packer packs = packer;
        return packs != null && packs.isWorthwhile();
    }

    /**
     * A place in an object that will be stored in a moment. The future fails with
     * ObjectStoreException.
     */
    public record Placed(ObjectRef ref, CompletableFuture<Void> stored) {}

    /**
     * Gives a small table file a place in an object with others: for callers who can wait a second
     * or two. Its bytes are copied. Null when it is too large, or no objects are shared here.
     */
    public @Nullable Placed placeSst(long regionId, long term, Path file) {
        Packer packs = packer;
        try {
            if (packs == null || !packs.takes(Files.size(file))) {
                return null;
            }
            byte[] bytes = Files.readAllBytes(file);
            Placed placed = packs.add(PackCodec.Kind.TABLE, regionId, term, bytes);
            return new Placed(
                    placed.ref(), placed.stored().thenRun(() -> keep(placed.ref(), file)));
        } catch (IOException e) {
            throw unreadable(file.toString(), file, e);
        }
    }

    /** As {@link #placeSst} for a record. */
    public @Nullable Placed placeRecord(TabletRecord record) {
        byte[] frame = RecordCodec.encode(record);
        Packer packs = packer;
        if (packs == null || !packs.takes(frame.length)) {
            return null;
        }
        long regionId = record.getShape().getRegionId();
        return packs.add(PackCodec.Kind.RECORD, regionId, record.getTerm(), frame);
    }

    /** Uploads a table file, which must not change any more, and hands it to the cache. */
    public ObjectRef uploadSst(long regionId, long term, long fileNumber, Path file) {
        return await(uploadSstAsync(regionId, term, fileNumber, file));
    }

    /** As {@link #uploadSst}, for several at once. The future fails with ObjectStoreException. */
    public CompletableFuture<ObjectRef> uploadSstAsync(
            long regionId, long term, long fileNumber, Path file) {
        String key = ObjectKeys.sst(regionId, term, fileNumber, uuid());
        long length;
        try {
            length = Files.size(file);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(unreadable(key, file, e));
        }
        return submit(key, length, () -> putSst(key, length, file));
    }

    private ObjectRef putSst(String key, long length, Path file) {
        int crc32c;
        try {
            crc32c = Checksums.crc32c(file);
        } catch (IOException e) {
            throw unreadable(key, file, e);
        }
        put(key, () -> store.putFileIfAbsent(key, file, crc32c));
        ObjectRef ref = ref(key, length, crc32c);
        keep(ref, file);
        return ref;
    }

    private void keep(ObjectRef ref, Path file) {
        // By now it may have been compacted away.
        if (cache != null && Files.exists(file)) {
            try {
                cache.adopt(ref, file);
            } catch (ObjectStoreException e) {
                log.warn("{} is uploaded but could not be kept in the cache", ref.getKey(), e);
            }
        }
    }

    /** Uploads a record under the region, term and sequence that it names. */
    public ObjectRef uploadRecord(TabletRecord record) {
        return await(uploadRecordAsync(record));
    }

    /** As {@link #uploadRecord}. The future fails with ObjectStoreException. */
    public CompletableFuture<ObjectRef> uploadRecordAsync(TabletRecord record) {
        return submitRecord(record, RecordCodec.encode(record));
    }

    private CompletableFuture<ObjectRef> submitRecord(TabletRecord record, byte[] frame) {
        String key =
                ObjectKeys.record(
                        record.getShape().getRegionId(),
                        record.getTerm(),
                        record.getSequence(),
                        uuid());
        return submit(
                key,
                frame.length,
                () -> {
                    put(key, () -> store.putIfAbsent(key, frame));
                    return ref(key, frame.length, Checksums.crc32c(frame));
                });
    }

    public UploadStats stats() {
        return tracker.stats(retries.count());
    }

    private CompletableFuture<ObjectRef> submit(
            String key, long length, Supplier<ObjectRef> upload) {
        CompletableFuture<ObjectRef> result = new CompletableFuture<>();
        UploadTracker.Upload tracked = tracker.begin(length);
        result.whenComplete((ref, failure) -> tracked.end(failure == null));
        try {
            pool.execute(
                    () -> {
                        try {
                            if (closed) {
                                throw new ObjectStoreException(
                                        Kind.UNAVAILABLE, key, key + ": closed", null);
                            }
                            result.complete(upload.get());
                        } catch (RuntimeException | Error e) {
                            result.completeExceptionally(e);
                        }
                    });
        } catch (RejectedExecutionException e) {
            String reason = closed ? "closed" : "too many uploads are queued: try again later";
            result.completeExceptionally(
                    new ObjectStoreException(Kind.UNAVAILABLE, key, key + ": " + reason, e));
        }
        return result;
    }

    private void put(String key, Runnable attempt) {
        Duration deadline = down ? Duration.ZERO : options.deadline();
        try {
            retries.call(
                    key,
                    new Retries.Policy(deadline, PAUSE_MIN, PAUSE_MAX),
                    remaining -> {
                        attempt.run();
                        return key;
                    });
            down = false;
        } catch (ObjectStoreException e) {
            down = e.kind() == Kind.UNAVAILABLE;
            throw e;
        }
    }

    private UUID uuid() {
        synchronized (retries) {
            return context.randomness().nextUuid();
        }
    }

    private static ObjectRef ref(String key, long length, int crc32c) {
        return ObjectRef.newBuilder().setKey(key).setLength(length).setCrc32C(crc32c).build();
    }

    private static ObjectStoreException unreadable(String key, Path file, IOException e) {
        return new ObjectStoreException(
                Kind.INVALID, key, "cannot read " + file + " to upload it: " + e, e);
    }

    private static ObjectRef await(CompletableFuture<ObjectRef> upload) {
        try {
            return upload.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ObjectStoreException(Kind.UNAVAILABLE, "", "interrupted while uploading", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException failure) {
                throw failure;
            }
            throw new IllegalStateException("upload", e.getCause());
        }
    }

    /** Interrupts uploads under way; their callers get UNAVAILABLE. */
    @Override
    public void close() {
        closed = true;
        // Queued uploads see that it is closed and fail.
        pool.shutdownNow().forEach(Runnable::run);
    }
}
