package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.core.VoterStorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The voters' storage over segments. What is appended waits in memory until {@link #commit}, which
 * writes and syncs it as one batch. After a failure every method refuses until {@link #reopen} has
 * read back what the disk holds.
 */
public final class SegmentStore implements VoterStorage, AutoCloseable {
    private final WalFiles files;
    private final UUID node;
    private final StorageOptions options;
    private final Segments segments = new Segments();
    private final RegionLogs regions = new RegionLogs(segments);
    private final SegmentLog log;
    private final SegmentCleaner cleaner;
    private final SegmentVerifier verifier;
    private final long forgottenBelow;
    private boolean aside;
    private long usableBytes;
    private long refusals;
    private @Nullable Exception failure;

    private SegmentStore(
            WalFiles files, UUID node, StorageOptions options, @Nullable Position trusted)
            throws IOException {
        this.files = files;
        this.node = node;
        this.options = options;
        new RepairSwap(files).finish();
        forgottenBelow = ForgottenFile.read(files);
        aside = files.list().stream().anyMatch(name -> name.endsWith(RepairSwap.ASIDE));
        try {
            SegmentRecovery recovery = new SegmentRecovery(files, node, segments);
            log = recovery.open(options, trusted, regions);
            String missing = regions.settle();
            if (missing != null) {
                throw new StorageDamageException(segments.newest().file.name(), 0, missing);
            }
            usableBytes = files.usableBytes();
        } catch (IOException | RuntimeException e) {
            segments.close();
            throw e;
        }
        cleaner = new SegmentCleaner(log, regions.all());
        verifier = new SegmentVerifier(node, segments);
    }

    /**
     * Opens the storage of {@code node}, recovering what an earlier process left.
     *
     * @throws StorageDamageException when bytes that were durable have changed or are missing
     */
    public static SegmentStore open(WalFiles files, UUID node, StorageOptions options)
            throws IOException {
        return new SegmentStore(files, node, options, null);
    }

    /**
     * Drops this storage, which has failed, and reads back what is certainly durable. May be called
     * again when it throws.
     */
    public SegmentStore reopen() throws IOException {
        failure = failure == null ? new IOException("the storage is reopened") : failure;
        segments.close();
        return new SegmentStore(files, node, options, log.synced());
    }

    @Override
    public List<Recovered> recover() {
        return regions.recovered();
    }

    @Override
    public long forgottenBelow() {
        return forgottenBelow;
    }

    @Override
    public void putMeta(long regionId, VoterMeta meta) {
        int size = prepareMeta(meta);
        long place = log.nextPlace();
        LogRecord.encodeMeta(log.room(size), regionId, meta, false);
        regions.of(regionId).putMeta(meta, place, size);
    }

    @Override
    public void reset(long regionId, VoterMeta meta) {
        int size = prepareMeta(meta);
        long place = log.nextPlace();
        LogRecord.encodeMeta(log.room(size), regionId, meta, true);
        RegionLog region = regions.of(regionId);
        region.entries.clear();
        region.putMeta(meta, place, size);
    }

    @Override
    public void append(long regionId, List<Entry> entries) {
        RegionLog region = Invariants.present(regions.all().get(regionId), "region " + regionId);
        long first = entries.get(0).getIndex();
        if (first <= region.snapshotIndex() || first > region.lastIndex() + 1) {
            Invariants.check(
                    false,
                    "entry %s does not follow %s in region %s",
                    first,
                    region.lastIndex(),
                    regionId);
        }
        long bytes = 0;
        for (int i = 0; i < entries.size(); i++) {
            bytes += LogRecord.size(entries.get(i));
        }
        requireSpace(bytes, options.reservedBytes());
        region.entries.truncateFrom(first);
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            int size = LogRecord.size(entry);
            long place = log.nextPlace();
            LogRecord.encodeEntry(log.room(size), regionId, entry, false);
            region.entries.put(entry.getIndex(), place, size, entry.getTerm());
        }
    }

    @Override
    public List<Entry> read(long regionId, long fromIndex, long toIndex, long bytesMax) {
        requireUsable();
        RegionLog region = Invariants.present(regions.all().get(regionId), "region " + regionId);
        List<Entry> entries = new ArrayList<>();
        long bytes = 0;
        try {
            for (long index = fromIndex; index <= toIndex; index++) {
                int size = region.entries.size(index);
                bytes += size - LogRecord.FRAME - LogRecord.ENTRY_HEAD;
                if (bytes > bytesMax && !entries.isEmpty()) {
                    break;
                }
                entries.add(LogRecord.entry(log.read(region.entries.place(index), size), 0, size));
            }
        } catch (IOException e) {
            throw VoterStorageException.failed(fail(e), e);
        }
        return entries;
    }

    /** As {@link #commit(long, boolean)}, at a time that is not known. */
    public boolean commit() throws IOException {
        return commit(0, false);
    }

    /**
     * Makes durable everything appended so far, with one sync; false when there was nothing.
     *
     * @param wallMillis when that is, by the wall clock, for who looks at it later
     * @param readSoon whether somebody is about to read it; else a large batch goes past the cache
     *     of the file system
     * @throws IOException the storage has failed: nothing appended since the last commit may be
     *     acknowledged
     */
    public boolean commit(long wallMillis, boolean readSoon) throws IOException {
        requireNotFailed();
        try {
            boolean written = log.write(wallMillis, readSoon);
            log.sync();
            return written;
        } catch (IOException e) {
            fail(e);
            throw e;
        }
    }

    /**
     * Between commits: begins a new segment behind a full one, deletes those that nobody needs,
     * moves at most {@code bytesMax} out of the oldest when most of the log is dead. What it
     * appends goes with the next commit.
     */
    public void maintain(int bytesMax) throws IOException {
        requireNotFailed();
        try {
            usableBytes = files.usableBytes();
            log.maintain(usableBytes);
            if (usableBytes > options.reservedBytes() / 4) {
                cleaner.step(bytesMax);
            }
        } catch (IOException e) {
            fail(e);
            throw e;
        }
    }

    /**
     * Between commits: reads about {@code bytesMax} of what the start has taken from indexes
     * without reading it. False when all of it has been read.
     *
     * @throws StorageDamageException when it is not what it was
     */
    public boolean verify(long bytesMax) throws IOException {
        requireNotFailed();
        try {
            return verifier.step(bytesMax);
        } catch (IOException e) {
            fail(e);
            throw e;
        }
    }

    /** Writes and syncs a mark behind the last batch, if it has none: for after an idle while. */
    public void mark() throws IOException {
        requireNotFailed();
        try {
            log.mark();
            log.sync();
        } catch (IOException e) {
            fail(e);
            throw e;
        }
    }

    /** The next maintenance begins a new segment if this one holds anything. */
    public void seal() {
        log.seal();
    }

    /** Segments from this number on are kept, even when no region needs them any more. */
    public void holdFrom(long segment) {
        log.holdFrom(segment);
    }

    /** The segments that are full, oldest first. They do not change any more. */
    public List<SealedSegment> sealed() {
        List<SealedSegment> sealed = new ArrayList<>();
        for (Segment segment : segments.all()) {
            if (segment != segments.newest()) {
                sealed.add(new SealedSegment(segment.number, segment.size));
            }
        }
        return sealed;
    }

    /** Whether there is a full segment with this number or a higher one. */
    public boolean hasSealedFrom(long number) {
        return segments.all().size() > 1 && segments.newest().number - 1 >= number;
    }

    /** Number of the segment that is written to. */
    public long newestSegment() {
        return segments.newest().number;
    }

    /**
     * Regions whose first entry lies before the newest segment and as many bytes as {@code behind}
     * full ones have.
     */
    public List<Long> holding(int behind) {
        List<Long> holding = new ArrayList<>();
        long recent = segments.recent(behind * options.segmentBytes());
        for (RegionLog region : regions.all().values()) {
            EntryIndex entries = region.entries;
            if (!entries.isEmpty()
                    && Position.segment(entries.place(entries.firstIndex())) < recent) {
                holding.add(region.regionId());
            }
        }
        return holding;
    }

    /** Bytes that wait for a commit. */
    long unwritten() {
        return log.unwritten();
    }

    /** Whether a repair has kept segments that hold no damage. */
    public boolean hasAside() {
        return aside;
    }

    /** Deletes them: every region has caught up. The damaged ones stay until somebody does. */
    public void dropAside() throws IOException {
        for (String name : files.list()) {
            if (name.endsWith(RepairSwap.ASIDE)) {
                files.delete(name);
            }
        }
        aside = false;
    }

    /** False when {@link #mark} has something to do. */
    public boolean isMarked() {
        return log.isMarked();
    }

    /** True while entries are refused for want of space. */
    public boolean isFull() {
        return usableBytes < options.reservedBytes();
    }

    /** The storage's counts. */
    public StorageStats stats() {
        return log.stats(refusals);
    }

    /** Closes without writing: what was not committed is gone, as in a crash. */
    @Override
    public void close() throws IOException {
        failure = failure == null ? new IOException("the storage is closed") : failure;
        segments.close();
    }

    private int prepareMeta(VoterMeta meta) {
        int size = LogRecord.size(meta);
        requireSpace(size, options.reservedBytes() / 2);
        return size;
    }

    private void requireSpace(long bytes, long reserved) {
        requireUsable();
        if (usableBytes - bytes < reserved || !log.fits(bytes)) {
            refusals++;
            throw VoterStorageException.full(
                    "no space in " + files.location() + ": free some, or add a larger disk");
        }
        usableBytes -= bytes;
    }

    private void requireUsable() {
        if (failure != null) {
            throw VoterStorageException.failed("the storage has failed", failure);
        }
    }

    private void requireNotFailed() throws IOException {
        if (failure != null) {
            throw new IOException("the storage has failed", failure);
        }
    }

    private String fail(IOException e) {
        failure = failure == null ? e : failure;
        return String.valueOf(e.getMessage());
    }
}
