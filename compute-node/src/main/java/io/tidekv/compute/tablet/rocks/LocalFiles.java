package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.rocks.FileIndex.File;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.proto.manifest.TabletRecord;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

/**
 * Which of a tablet's published files are not here, and how they get here. Reads ask for what they
 * cover before they read ({@link #complete()} says that nothing is missing, which is the normal
 * case); an error of RocksDB that names a file is the safety net ({@link #recover}). Thread-safe.
 * The caller holds a use of the instance.
 */
final class LocalFiles {
    private static final Pattern FILE_NAME = Pattern.compile("(\\d{6,})\\.sst");

    /** How often one read may fail over a file before it is given up. */
    private static final int ATTEMPTS_MAX = 1000;

    /** How often one read may fail over files that others have brought here meanwhile. */
    private static final int RACES_MAX = 20;

    private final long regionId;
    private final Instance instance;
    private final SstCache cache;
    private final Set<Long> absent = ConcurrentHashMap.newKeySet();
    private volatile FileIndex index;
    private volatile boolean complete;

    LocalFiles(long regionId, Instance instance, SstCache cache, @Nullable TabletRecord record) {
        this.regionId = regionId;
        this.instance = instance;
        this.cache = cache;
        this.index = new FileIndex(record);
        index.files().forEach(file -> absent.add(file.number()));
        complete = absent.isEmpty();
    }

    /** Whether every published file is here. */
    boolean complete() {
        return complete;
    }

    /** The record in force has changed: its files can be fetched again when they are lost. */
    void rebase(TabletRecord record) {
        FileIndex next = new FileIndex(record);
        index = next;
        synchronized (absent) {
            absent.removeIf(number -> next.file(number) == null);
            complete = absent.isEmpty();
        }
    }

    List<File> missing() {
        return missing(index.files());
    }

    /** Fetches what a read of one key can touch. */
    void ensureCovering(int family, byte[] key) {
        fetch(missing(index.covering(family, key)));
    }

    /** Fetches what an iterator needs that is being moved to {@code key}. */
    void ensureSeek(int family, KeyRange range, byte[] key, boolean forward) {
        fetch(missing(index.seeking(family, range, key, forward)));
    }

    /** Fetches these files, as far as they are published and missing. */
    void ensure(Collection<Long> numbers) {
        List<File> files = new ArrayList<>();
        for (long number : numbers) {
            File file = index.file(number);
            if (file != null) {
                files.add(file);
            }
        }
        fetch(missing(files));
    }

    private List<File> missing(Collection<File> files) {
        List<File> missing = new ArrayList<>();
        for (File file : files) {
            if (absent.contains(file.number())) {
                missing.add(file);
            }
        }
        return missing;
    }

    /** Fetches all of them at the same time and waits; throws RegionUnavailable. */
    void fetch(List<File> files) {
        List<CompletableFuture<Path>> fetches = new ArrayList<>();
        files.forEach(file -> fetches.add(cache.fetchAsync(file.object())));
        for (int i = 0; i < files.size(); i++) {
            place(files.get(i), await(files.get(i), fetches.get(i)));
        }
    }

    private Path await(File file, CompletableFuture<Path> fetch) {
        try {
            return fetch.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable(file, "interrupted while fetching");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException failure) {
                throw unavailable(file, failure.kind() + ": " + failure.getMessage());
            }
            throw unavailable(file, "fetch failed: " + e.getCause());
        }
    }

    /** Makes a fetched file visible to RocksDB under its local number. */
    private void place(File file, Path fetched) {
        Path target = path(file.number());
        try {
            Files.createLink(target, fetched);
        } catch (FileAlreadyExistsException e) {
            // Another reader was faster.
        } catch (IOException | UnsupportedOperationException e) {
            throw unavailable(file, "cannot link " + fetched + " to " + target + ": " + e);
        }
        synchronized (absent) {
            absent.remove(file.number());
            complete = absent.isEmpty();
        }
    }

    /**
     * After a failed read: brings the file that RocksDB names here, or replaces it when it is
     * damaged. The caller then reads again, an iterator from scratch. Throws RegionUnavailable when
     * that cannot help.
     *
     * @param attempt how often this read has failed before
     */
    void recover(RocksDBException failure, int attempt) {
        File file = named(failure);
        if (file == null || attempt >= ATTEMPTS_MAX) {
            throw Failures.unavailable(regionId, "cannot read", failure);
        }
        if (!Files.exists(path(file.number()))) {
            drop(file);
        } else if (!repaired(file)
                && (Failures.code(failure) != Status.Code.IOError || attempt >= RACES_MAX)) {
            throw unavailable(
                    file,
                    "cannot be read although it is what was uploaded: "
                            + Failures.describe(failure));
        }
        fetch(missing(List.of(file)));
    }

    private @Nullable File named(RocksDBException failure) {
        Matcher name = FILE_NAME.matcher(String.valueOf(failure.getMessage()));
        return name.find() ? index.file(Long.parseLong(name.group(1))) : null;
    }

    private void drop(File file) {
        synchronized (absent) {
            absent.add(file.number());
            complete = false;
        }
    }

    private boolean isDamaged(File file) {
        try {
            Path path = path(file.number());
            return Files.size(path) != file.object().getLength()
                    || Checksums.crc32c(path) != file.object().getCrc32C();
        } catch (IOException e) {
            return true;
        }
    }

    /**
     * Replaces the local copy if it has rotted, here, in the cache and for RocksDB's readers, and
     * says whether it had.
     */
    private synchronized boolean repaired(File file) {
        if (!isDamaged(file)) {
            return false;
        }
        try {
            drop(file);
            Path cached = cache.ifPresent(file.object());
            if (cached != null) {
                Files.deleteIfExists(cached);
            }
            Files.deleteIfExists(path(file.number()));
            fetch(List.of(file));
            instance.dropReaders();
            return true;
        } catch (IOException e) {
            throw unavailable(file, "cannot replace a damaged copy: " + e);
        } catch (RocksDBException e) {
            throw Failures.unavailable(regionId, "cannot replace a damaged copy", e);
        }
    }

    /**
     * Gives up the local copies of published files, except those that RocksDB has compacted away.
     * Readers that are open keep them until they are done.
     */
    void evict(Collection<Long> numbers) {
        for (long number : numbers) {
            File file = index.file(number);
            if (file != null && Files.exists(path(number))) {
                drop(file);
                try {
                    Files.deleteIfExists(path(number));
                } catch (IOException e) {
                    throw unavailable(file, "cannot remove " + path(number) + ": " + e);
                }
            }
        }
    }

    private Path path(long number) {
        return instance.folder().tables().resolve(ManifestWriter.tableName(number));
    }

    private KvException unavailable(File file, String message) {
        String object = file.object().getKey();
        return Failures.unavailable(regionId, object, object + ": " + message);
    }
}
