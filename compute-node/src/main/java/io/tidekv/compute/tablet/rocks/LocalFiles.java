package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.WouldBlock;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.rocks.FileIndex.File;
import io.tidekv.compute.tablet.table.GranuleMap;
import io.tidekv.compute.tablet.table.GranuleMap.Run;
import io.tidekv.objects.hydrate.Pin;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.proto.manifest.TabletRecord;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of a tablet's published files are not here, and how they get here. Reads ask for what they
 * cover before they read ({@link #complete()} says that nothing is missing, which is the normal
 * case); an error of RocksDB that names a file is the safety net ({@link #recover}). Thread-safe.
 * The caller holds a use of the instance.
 */
final class LocalFiles {
    private static final Logger log = LoggerFactory.getLogger(LocalFiles.class);
    private static final Pattern FILE_NAME = Pattern.compile("(\\d{6,})\\.sst");
    private static final Pattern BLOCK = Pattern.compile("offset (\\d+) size (\\d+)");

    /** A read of more granules of one file than this gets it whole. */
    private static final int RUN_MAX = 4;

    /** How often one read may fail over a file before it is given up. */
    private static final int ATTEMPTS_MAX = 1000;

    /** How often one read may fail over files that others have brought here meanwhile. */
    private static final int RACES_MAX = 20;

    private final long regionId;
    private final Instance instance;
    private final SstCache cache;
    private final ReadCounters counters;
    private final Heat heat = new Heat();
    private final Granules granules;

    /** Not here, or here in part. */
    private final Set<Long> absent = ConcurrentHashMap.newKeySet();

    /** Given up, but still there for readers that were promised not to wait. */
    private final Set<Long> leaving = new HashSet<>();

    /** Inputs of the compaction under way. */
    private final Set<Long> held = new HashSet<>();

    /**
     * Files that are not here and in no record any more. No read covers them, but RocksDB may have
     * them still, when they lie outside a range that has shrunk, and compacts them away.
     */
    private final Map<Long, File> retired = new ConcurrentHashMap<>();

    private final AtomicInteger steadyReaders = new AtomicInteger();
    private volatile FileIndex index;
    private volatile boolean complete;

    /** Changed by who holds the lock of {@link #absent}. */
    private volatile int placed;

    LocalFiles(
            long regionId,
            Instance instance,
            SstCache cache,
            ReadCounters counters,
            GranuleCounters granuleCounters,
            @Nullable TabletRecord record) {
        this.regionId = regionId;
        this.instance = instance;
        this.cache = cache;
        this.counters = counters;
        this.granules = new Granules(cache, granuleCounters);
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
        FileIndex last = index;
        index = next;
        heat.retain(number -> next.file(number) != null);
        synchronized (absent) {
            for (long number : absent) {
                File file = last.file(number);
                if (next.file(number) == null && file != null) {
                    retired.put(number, file);
                }
            }
            absent.removeIf(number -> next.file(number) == null);
            complete = absent.isEmpty();
            granules.retain(number -> next.file(number) != null || retired.containsKey(number));
        }
    }

    boolean hasRetired() {
        return !retired.isEmpty();
    }

    /** Objects of files in no record that RocksDB still has; forgets those that it has not. */
    Set<String> retiredOf(List<LiveFileMetaData> live) {
        Set<Long> numbers = new HashSet<>();
        live.forEach(file -> numbers.add(LiveSet.number(file.fileName())));
        retired.keySet().retainAll(numbers);
        Set<String> objects = new TreeSet<>();
        retired.values().forEach(file -> objects.add(file.object().getKey()));
        return objects;
    }

    /**
     * A reader that must not wait comes: says whether it can be promised that until {@link
     * #leaveSteady} nothing goes away.
     */
    boolean enterSteady() {
        steadyReaders.incrementAndGet();
        if (complete) {
            return true;
        }
        leaveSteady();
        return false;
    }

    void leaveSteady() {
        if (steadyReaders.decrementAndGet() == 0 && !complete) {
            removeLeaving();
        }
    }

    /** Some reads are noted, so that files that are read often stay when room is needed. */
    void noteGet(int family, byte[] key) {
        counters.read();
        if (heat.isSampled()) {
            index.covering(family, key).forEach(file -> heat.add(file.number()));
        }
    }

    /** Published files that are here, for whoever looks for room; the coldest are to go first. */
    List<Resident> residents() {
        List<Resident> residents = new ArrayList<>();
        for (File file : index.files()) {
            if (!absent.contains(file.number()) && Files.exists(path(file.number()))) {
                long bytes = file.object().getLength();
                residents.add(new Resident(file, heat.of(file.number()), bytes));
            }
        }
        for (SparseTable table : granules.tables()) {
            if (table.filledBytes() > 0) {
                int reads = heat.of(table.file().number());
                residents.add(new Resident(table.file(), reads, table.filledBytes()));
            }
        }
        heat.cool();
        return residents;
    }

    /** How often a file was seen being read lately. */
    int heat(File file) {
        return heat.of(file.number());
    }

    /** A file, how often it was seen being read lately, and what giving it up frees. */
    record Resident(File file, int heat, long bytes) {}

    /** Files of the record in force. */
    int count() {
        return index.files().size();
    }

    List<File> missing() {
        return missing(index.files());
    }

    /**
     * Fetches what a read of one key can touch; it stays until the answer is closed.
     *
     * @param waits whether it may wait for that; else it throws {@link WouldBlock} instead
     */
    Held ensureCovering(int family, byte[] key, boolean waits) {
        return cover(missing(index.covering(family, key)), map -> map.holding(key), waits);
    }

    /**
     * Fetches what an iterator over a small range can touch, which stays until the answer is
     * closed; null when the range is not small.
     *
     * @param waits as above
     */
    @Nullable Held ensureNarrow(int family, KeyRange range, boolean waits) {
        byte[] end = range.end();
        if (granules.isOff() || end == null || range.start().length == 0) {
            return null;
        }
        List<File> files = index.narrow(family, range);
        return files == null
                ? null
                : cover(missing(files), map -> map.holding(range.start(), end), waits);
    }

    /** Of large files their ends and granules, of the others everything. */
    private Held cover(List<File> files, Function<GranuleMap, Run> wanted, boolean waits) {
        Held held = new Held();
        if (files.isEmpty()) {
            return held;
        }
        if (!waits) {
            coverAtOnce(held, files, wanted);
            return held;
        }
        long begin = counters.begin();
        List<File> whole = new ArrayList<>();
        List<File> parts = new ArrayList<>();
        files.forEach(file -> (isReadInParts(file) ? parts : whole).add(file));
        boolean good = false;
        try {
            boolean waited = !whole.isEmpty();
            try (Fetches fetches = new Fetches(whole)) {
                waited |= coverParts(held, parts, wanted);
                fetches.place();
            }
            if (waited) {
                counters.waited(begin);
            }
            good = true;
            return held;
        } finally {
            if (!good) {
                held.close();
            }
        }
    }

    /** Of files that are here in part what is wanted, if it is here. */
    private void coverAtOnce(Held held, List<File> files, Function<GranuleMap, Run> wanted) {
        for (File file : files) {
            SparseTable table = granules.table(file.number());
            Run run = table == null ? null : wanted.apply(table.map());
            boolean here = false;
            if (table != null && run != null && run.size() <= RUN_MAX) {
                held.add(table);
                here = table.isFilled(run);
            }
            if (!here) {
                held.close();
                throw new WouldBlock();
            }
        }
        granules.counters().read(true);
    }

    /** What is in the cache needs only be linked. */
    private boolean isReadInParts(File file) {
        return granules.suits(file)
                && (granules.table(file.number()) != null
                        || cache.ifPresent(file.object()) == null);
    }

    /** All ends at once, then all granules at once; says whether anything had to be fetched. */
    private boolean coverParts(Held held, List<File> files, Function<GranuleMap, Run> wanted) {
        boolean fetched = false;
        List<CompletableFuture<@Nullable SparseTable>> opening = new ArrayList<>();
        for (File file : files) {
            fetched |= granules.table(file.number()) == null;
            opening.add(granules.open(file, path(file.number()), this::placePart));
        }
        List<File> whole = new ArrayList<>();
        Map<SparseTable, List<CompletableFuture<Void>>> filling = new LinkedHashMap<>();
        for (int i = 0; i < files.size(); i++) {
            File file = files.get(i);
            SparseTable table = await(file, opening.get(i));
            Run run = table == null ? null : wanted.apply(table.map());
            if (table == null || run == null || run.size() > RUN_MAX) {
                whole.add(file);
                continue;
            }
            held.add(table);
            List<CompletableFuture<Void>> waits = table.fill(run);
            fetched |= !waits.isEmpty();
            filling.put(table, waits);
        }
        filling.forEach(
                (table, waits) -> {
                    waits.forEach(granule -> await(table.file(), granule));
                    considerWhole(table);
                });
        fetch(missing(whole));
        if (!files.isEmpty()) {
            granules.counters().read(!fetched);
        }
        return fetched || !whole.isEmpty();
    }

    private boolean placePart(SparseTable table, Path written) throws IOException {
        long number = table.file().number();
        synchronized (absent) {
            if (!absent.contains(number) || granules.table(number) != null) {
                return false;
            }
            if (Files.exists(path(number))) {
                // It had not left yet.
                absent.remove(number);
                leaving.remove(number);
                complete = absent.isEmpty();
                return false;
            }
            leaving.remove(number);
            placed++;
            Files.move(written, path(number), StandardCopyOption.ATOMIC_MOVE);
            granules.add(table);
            return true;
        }
    }

    /** A file of which much is here is fetched whole, as long as that pushes out nothing. */
    private void considerWhole(SparseTable table) {
        File file = table.file();
        if (cache.hasRoom(file.object().getLength())
                && table.promote(granules.counters().settings().wholeAtPercent())) {
            Pin pin = cache.pin(file.object());
            cache.fetchAsync(file.object())
                    .thenAccept(fetched -> placeAhead(file, fetched))
                    .whenComplete(
                            (done, failure) -> {
                                table.demote();
                                pin.close();
                            });
        }
    }

    /** How many files have come to be here in part; while it is the same, none has. */
    int placed() {
        return placed;
    }

    /**
     * Where an iterator over a large range, moved to {@code key}, may come to a file that is here
     * in part; null when there is no such file. What begins at the key is fetched whole before.
     */
    FileIndex.@Nullable Edge edge(int family, KeyRange range, byte[] key, boolean forward) {
        FileIndex.Edge edge = nextPart(family, range, key, forward);
        while (edge != null && edge.isCrossed(key)) {
            fetchWhole(edge.file());
            edge = nextPart(family, range, key, forward);
        }
        return edge;
    }

    /** Unless it is whole already. */
    void fetchWhole(File file) {
        fetchForRead(missing(List.of(file)));
    }

    private FileIndex.@Nullable Edge nextPart(
            int family, KeyRange range, byte[] key, boolean forward) {
        if (granules.isOff() || complete) {
            return null;
        }
        return index.edge(
                family, range, key, forward, file -> granules.table(file.number()) != null);
    }

    /**
     * Fetches what an iterator needs that is being moved to {@code key}, and begins to fetch what
     * it will need next.
     */
    void ensureSeek(int family, KeyRange range, byte[] key, boolean forward) {
        FileIndex now = index;
        List<File> needed = now.seeking(family, range, key, forward);
        for (File next : missing(now.after(family, range, needed, forward))) {
            Pin pin = cache.pin(next.object());
            cache.fetchAsync(next.object())
                    .thenAccept(fetched -> placeAhead(next, fetched))
                    .whenComplete((done, failure) -> pin.close());
        }
        fetchForRead(missing(needed));
    }

    private void fetchForRead(List<File> files) {
        if (!files.isEmpty()) {
            long begin = counters.begin();
            fetch(files);
            counters.waited(begin);
        }
    }

    /** Nobody waits for it: whatever goes wrong comes up when it is needed. */
    private void placeAhead(File file, Path fetched) {
        if (instance.tryUse()) {
            try {
                link(file, fetched);
            } catch (IOException | UnsupportedOperationException e) {
                log.debug("{} is not linked ahead", file.object().getKey(), e);
            } finally {
                instance.release();
            }
        }
    }

    /** Fetches these files, as far as they have been published and are missing. */
    void ensure(Collection<Long> numbers) {
        List<File> files = new ArrayList<>();
        for (long number : numbers) {
            File file = index.file(number);
            File old = retired.get(number);
            if (file != null && absent.contains(number)) {
                files.add(file);
            } else if (old != null && !isWhole(number)) {
                files.add(old);
            }
        }
        fetch(files);
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
        try (Fetches fetches = new Fetches(files)) {
            fetches.place();
        }
    }

    /** Whole files on their way. */
    private final class Fetches implements AutoCloseable {
        private final List<File> files;
        private final List<Pin> pins = new ArrayList<>();
        private final List<CompletableFuture<Path>> fetches = new ArrayList<>();

        Fetches(List<File> files) {
            this.files = files;
            for (File file : files) {
                // Until it is linked here the cache could give it up again.
                pins.add(cache.pin(file.object()));
                fetches.add(cache.fetchAsync(file.object()));
            }
        }

        /** Waits for them and makes them visible to RocksDB. */
        void place() {
            for (int i = 0; i < files.size(); i++) {
                LocalFiles.this.place(files.get(i), await(files.get(i), fetches.get(i)));
            }
        }

        @Override
        public void close() {
            pins.forEach(Pin::close);
        }
    }

    private <T extends @Nullable Object> T await(File file, CompletableFuture<T> fetch) {
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

    /** Makes a fetched file visible to RocksDB. */
    private void place(File file, Path fetched) {
        try {
            link(file, fetched);
        } catch (IOException | UnsupportedOperationException e) {
            throw unavailable(
                    file, "cannot link " + fetched + " to " + path(file.number()) + ": " + e);
        }
    }

    private void link(File file, Path fetched) throws IOException {
        long number = file.number();
        boolean linked = false;
        while (!linked) {
            SparseTable part = granules.table(number);
            if (part != null) {
                part.complete(fetched);
            }
            synchronized (absent) {
                // Unequal: it has been placed, or completed, meanwhile.
                linked = granules.table(number) == part;
                if (linked) {
                    if (part == null) {
                        linkNew(number, fetched);
                    } else {
                        replace(part, fetched);
                    }
                    absent.remove(number);
                    leaving.remove(number);
                    complete = absent.isEmpty();
                }
            }
        }
    }

    private void linkNew(long number, Path fetched) throws IOException {
        try {
            Files.createLink(path(number), fetched);
        } catch (FileAlreadyExistsException e) {
            // Another reader was faster, or it had not left yet.
        }
    }

    /** Readers that are open keep the completed file, new ones share the cache's. */
    private void replace(SparseTable part, Path fetched) throws IOException {
        Path path = path(part.file().number());
        Path beside = path.resolveSibling(path.getFileName() + Granules.PART);
        Files.deleteIfExists(beside);
        Files.createLink(beside, fetched);
        Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE);
        granules.remove(part);
    }

    /**
     * After a failed read: brings the file that RocksDB names here, or replaces it when it is
     * damaged. The caller then reads again, an iterator from scratch. Throws RegionUnavailable when
     * that cannot help.
     *
     * @param attempt how often this read has failed before
     */
    void recover(RocksDBException failure, int attempt) {
        recover(failure, attempt, false);
    }

    /**
     * As {@link #recover(RocksDBException, int)}.
     *
     * @param whole whether all of a file is wanted that is here in part
     */
    void recover(RocksDBException failure, int attempt, boolean whole) {
        File file = named(failure);
        SparseTable part = file == null ? null : part(file.number());
        if (part != null && attempt < ATTEMPTS_MAX) {
            refill(part, failure, whole);
            return;
        }
        if (file != null && retired.containsKey(file.number())) {
            ensure(List.of(file.number()));
            return;
        }
        if (file == null || attempt >= ATTEMPTS_MAX) {
            throw Failures.unavailable(regionId, "cannot read", failure);
        }
        if (!Files.exists(path(file.number()))) {
            drop(file);
        } else if (!repaired(file) && (!mayBeStale(file, failure) || attempt >= RACES_MAX)) {
            throw unavailable(
                    file,
                    "cannot be read although it is what was uploaded: "
                            + Failures.describe(failure));
        }
        fetch(missing(List.of(file)));
    }

    /** Not while it is being placed. */
    private @Nullable SparseTable part(long number) {
        synchronized (absent) {
            return granules.table(number);
        }
    }

    /** Whether the failure can be about what was there before the file that is there now. */
    private boolean mayBeStale(File file, RocksDBException failure) {
        return Failures.code(failure) == Status.Code.IOError || granules.hasSeen(file.number());
    }

    /** After a failure over a file that is here in part: a hole, or granules that are damaged. */
    private void refill(SparseTable part, RocksDBException failure, boolean whole) {
        File file = part.file();
        if (!Files.exists(path(file.number()))) {
            granules.remove(part);
            fetch(List.of(file));
            return;
        }
        Run hole = hole(part, failure);
        boolean isHole = hole.size() > 0 && !part.isFilled(hole);
        if (isHole) {
            granules.counters().hole();
        }
        if (whole || !isHole || hole.size() > RUN_MAX) {
            fetch(List.of(file));
            return;
        }
        try (Held held = new Held()) {
            held.add(part);
            part.fill(hole).forEach(granule -> await(file, granule));
        }
    }

    private static Run hole(SparseTable part, RocksDBException failure) {
        Matcher place = BLOCK.matcher(String.valueOf(failure.getMessage()));
        if (!place.find()) {
            return new Run(0, -1);
        }
        long offset = Long.parseLong(place.group(1));
        return part.map().at(offset, offset + Math.max(1, Long.parseLong(place.group(2))));
    }

    /** Whether the failure is about a file that is here in part. */
    boolean namesPart(RocksDBException failure) {
        File file = named(failure);
        return file != null && granules.table(file.number()) != null;
    }

    /** Whether the file is here, and all of it. */
    boolean isWhole(long number) {
        return granules.table(number) == null && Files.exists(path(number));
    }

    /** The tablet is closed. */
    void close() {
        granules.close();
    }

    private @Nullable File named(RocksDBException failure) {
        Matcher name = FILE_NAME.matcher(String.valueOf(failure.getMessage()));
        if (!name.find()) {
            return null;
        }
        long number = Long.parseLong(name.group(1));
        File file = index.file(number);
        return file == null ? retired.get(number) : file;
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
     * Gives up the local copies of published files, except those that RocksDB has compacted away or
     * is compacting. Open readers keep them until they are done; copies that readers rely on who
     * must not wait go with the last of them.
     */
    void evict(Collection<Long> numbers) {
        synchronized (absent) {
            for (long number : numbers) {
                File file = index.file(number);
                SparseTable part = granules.table(number);
                if (part != null) {
                    evict(part);
                } else if (file != null && !held.contains(number) && Files.exists(path(number))) {
                    absent.add(number);
                    leaving.add(number);
                    complete = false;
                }
            }
        }
        if (steadyReaders.get() == 0) {
            removeLeaving();
        }
    }

    private void evict(SparseTable part) {
        try {
            part.evict();
        } catch (IOException e) {
            log.warn("cannot empty {}", path(part.file().number()), e);
        }
    }

    private void removeLeaving() {
        synchronized (absent) {
            for (long number : leaving) {
                try {
                    if (absent.contains(number)) {
                        Files.deleteIfExists(path(number));
                    }
                } catch (IOException e) {
                    log.warn("cannot remove {}", path(number), e);
                }
            }
            leaving.clear();
        }
    }

    /** Keeps these files here, until told to keep others. */
    void hold(Collection<Long> numbers) {
        synchronized (absent) {
            held.clear();
            held.addAll(numbers);
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
