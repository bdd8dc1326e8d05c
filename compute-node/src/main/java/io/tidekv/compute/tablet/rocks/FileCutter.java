package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.manifest.InternalKeys;
import io.tidekv.proto.manifest.SstFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.rocksdb.CompactionOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Cuts table files at a key: a copy has what the file holds on one side of it, tombstones, versions
 * and sequence numbers included. RocksDB has no call for that. The file is put into an instance of
 * its own with a range tombstone over the other side, and compacted; then once more, to rid it of
 * that tombstone. A second file below it that spans all keys keeps RocksDB from taking it for the
 * bottom, where it would drop tombstones that hide something elsewhere. Blocks; several threads may
 * cut.
 */
final class FileCutter {
    /** Where the file, its copy and the guard lie in the instance. */
    private static final int FILE_LEVEL = 1;

    private static final int COPY_LEVEL = 2;
    private static final int GUARD_LEVEL = 6;

    /** Type of a range deletion and the highest sequence number: RocksDB's own end of a file. */
    private static final long BOUND = 0xFFFF_FFFF_FFFF_FF0FL;

    private static final int SUFFIX = 8;

    private final NativeOptions shared;
    private final Workspace workspace;
    private final Clock clock;
    private final Duration flushDeadline;

    FileCutter(NativeOptions shared, Workspace workspace, Clock clock, Duration flushDeadline) {
        this.shared = shared;
        this.workspace = workspace;
        this.clock = clock;
        this.flushDeadline = flushDeadline;
    }

    /** The side that stays. */
    enum Side {
        BELOW,
        FROM
    }

    /** A copy, there as long as the call it is passed to lasts. */
    record Copy(SstFile file, Path path) {}

    /** Whether the file reaches to the other side of {@code at} than the one that stays. */
    static boolean reachesOver(SstFile file, ByteString at, Side stays) {
        ByteString smallest = FileSet.userKey(file.getSmallest());
        ByteString largest = FileSet.userKey(file.getLargest());
        int end = compare(largest, at);
        return stays == Side.BELOW
                ? end > 0 || (end == 0 && !isBound(file.getLargest()))
                : compare(smallest, at) < 0;
    }

    /** Whether nothing of the file lies on the side that stays. */
    static boolean isOutside(SstFile file, ByteString at, Side stays) {
        int end = compare(FileSet.userKey(file.getLargest()), at);
        return stays == Side.BELOW
                ? compare(FileSet.userKey(file.getSmallest()), at) >= 0
                : end < 0 || (end == 0 && isBound(file.getLargest()));
    }

    /**
     * Cuts a file.
     *
     * @param table the file's content
     * @param use gets the copy, whose number and level mean nothing; null when nothing is left
     * @return what {@code use} returns
     */
    <T> T cut(
            int family,
            SstFile file,
            Path table,
            ByteString at,
            Side stays,
            Function<@Nullable Copy, T> use)
            throws RocksDBException, IOException {
        List<Instance> opened = new ArrayList<>();
        try {
            Instance guarded = Instance.open(0, RecordFiles.empty(), shared, workspace);
            opened.add(guarded);
            Copy guard = guard(guarded, family, file);
            Instance first = open(opened, family, new Copy(file, table), guard);
            remove(first, family, file, at, stays);
            Copy copy = within(compact(first, family, file.getNumber()), file);
            if (copy == null || isOutside(copy.file, at, stays)) {
                return use.apply(null);
            }
            // The tombstone is in the copy too. Bounds keep it out of the next.
            copy = new Copy(bounded(copy.file, at, stays), copy.path);
            Instance second = open(opened, family, copy, guard);
            copy = within(compact(second, family, copy.file.getNumber()), file);
            return use.apply(copy == null || isOutside(copy.file, at, stays) ? null : copy);
        } finally {
            opened.forEach(Instance::close);
        }
    }

    /** An instance of the file and, below it, the guard. */
    private Instance open(List<Instance> opened, int family, Copy file, Copy guard)
            throws RocksDBException, IOException {
        FileSet files = RecordFiles.empty();
        long number = Math.max(file.file.getNumber(), guard.file.getNumber()) + 1;
        files.family(family).add(file.file.toBuilder().setLevel(FILE_LEVEL).build());
        files.family(family)
                .add(guard.file.toBuilder().setNumber(number).setLevel(GUARD_LEVEL).build());
        files.nextFile(number + 1);
        files.lastSequence(
                Math.max(file.file.getLargestSequence(), guard.file.getLargestSequence()));
        Instance instance = Instance.open(0, files, shared, workspace);
        opened.add(instance);
        link(instance, file.file.getNumber(), file.path);
        link(instance, number, guard.path);
        return instance;
    }

    private static void link(Instance instance, long number, Path table) throws IOException {
        Files.createLink(path(instance, number), table);
    }

    private static Path path(Instance instance, long number) {
        return instance.folder().tables().resolve(ManifestWriter.tableName(number));
    }

    /** A file whose range holds every key. */
    private Copy guard(Instance instance, int family, SstFile below)
            throws RocksDBException, IOException {
        byte[] last = new byte[below.getLargest().size() + 1];
        Arrays.fill(last, (byte) 0xFF);
        try (WriteBatch batch = new WriteBatch()) {
            batch.put(instance.family(family), new byte[0], new byte[0]);
            batch.put(instance.family(family), last, new byte[0]);
            instance.db().write(instance.shared().writes(), batch);
        }
        flush(instance, family);
        SstFile file =
                Capture.liveFiles(instance).family(family).files().values().iterator().next();
        return new Copy(file, path(instance, file.getNumber()));
    }

    private void remove(Instance instance, int family, SstFile file, ByteString at, Side stays)
            throws RocksDBException {
        byte[] border = at.toByteArray();
        byte[] smallest = FileSet.userKey(file.getSmallest()).toByteArray();
        byte[] largest = FileSet.userKey(file.getLargest()).toByteArray();
        byte[] behind = Arrays.copyOf(largest, largest.length + 1);
        try (WriteBatch batch = new WriteBatch()) {
            if (stays == Side.BELOW) {
                batch.deleteRange(instance.family(family), border, behind);
            } else {
                batch.deleteRange(instance.family(family), smallest, border);
            }
            instance.db().write(instance.shared().writes(), batch);
        }
        flush(instance, family);
    }

    private void flush(Instance instance, int family) throws RocksDBException {
        instance.db().flush(instance.shared().flushes(), instance.family(family));
        Waiter waiter = new Waiter(clock, flushDeadline);
        while (levelZero(instance, family) == 0) {
            if (waiter.isOver()) {
                throw Failures.unavailable(
                        0, "", "a file could not be cut: the flush does not end");
            }
            waiter.pause();
        }
    }

    private static long levelZero(Instance instance, int family) throws RocksDBException {
        String files =
                instance.db().getProperty(instance.family(family), "rocksdb.num-files-at-level0");
        return Long.parseLong(files);
    }

    /** The file, and what lies above it, in one; null when nothing is left. */
    private static @Nullable Copy compact(Instance instance, int family, long number)
            throws RocksDBException, IOException {
        List<String> inputs =
                Capture.liveFiles(instance).family(family).files().values().stream()
                        .filter(f -> f.getLevel() == 0 || f.getNumber() == number)
                        .map(f -> ManifestWriter.tableName(f.getNumber()))
                        .toList();
        try (CompactionOptions options =
                new CompactionOptions().setOutputFileSizeLimit(Long.MAX_VALUE)) {
            instance.db()
                    .compactFiles(options, instance.family(family), inputs, COPY_LEVEL, -1, null);
        }
        List<SstFile> copies =
                Capture.liveFiles(instance).family(family).files().values().stream()
                        .filter(f -> f.getLevel() == COPY_LEVEL)
                        .toList();
        if (copies.size() > 1) {
            throw new IOException("a file that was cut has become " + copies.size() + " files");
        }
        return copies.isEmpty()
                ? null
                : new Copy(copies.get(0), path(instance, copies.get(0).getNumber()));
    }

    /**
     * The copy in the bounds of the original. Versions of one key may lie in two files of a level,
     * the older ones in the second. Tombstones that reach over both are in both, and count in each
     * within its bounds only. A compaction of the second alone writes them from that key's newest
     * possible version on: over the first file's.
     */
    private static @Nullable Copy within(@Nullable Copy copy, SstFile original) {
        if (copy == null) {
            return null;
        }
        SstFile.Builder file = copy.file.toBuilder();
        if (InternalKeys.compare(file.getSmallest(), original.getSmallest()) < 0) {
            file.setSmallest(original.getSmallest());
        }
        if (InternalKeys.compare(file.getLargest(), original.getLargest()) > 0) {
            file.setLargest(original.getLargest());
        }
        return InternalKeys.compare(file.getSmallest(), file.getLargest()) > 0
                ? null
                : new Copy(file.build(), copy.path);
    }

    /**
     * The file as if it ended, or began, at the border. RocksDB cuts range tombstones off where a
     * file ends; it does that wrong for iterators that go backwards when one begins just there, so
     * this is for a compaction only.
     */
    private static SstFile bounded(SstFile file, ByteString at, Side stays) {
        SstFile.Builder bounded = file.toBuilder();
        if (stays == Side.BELOW && compare(FileSet.userKey(file.getLargest()), at) >= 0) {
            bounded.setLargest(at.concat(suffix(BOUND)));
        } else if (stays == Side.FROM && compare(FileSet.userKey(file.getSmallest()), at) < 0) {
            bounded.setSmallest(at.concat(suffix(BOUND - 0x100)));
        }
        return bounded.build();
    }

    private static boolean isBound(ByteString internal) {
        return internal.substring(internal.size() - SUFFIX).equals(suffix(BOUND));
    }

    private static ByteString suffix(long packed) {
        byte[] bytes = new byte[SUFFIX];
        for (int i = 0; i < SUFFIX; i++) {
            bytes[i] = (byte) (packed >>> (8 * i));
        }
        return ByteString.copyFrom(bytes);
    }

    private static int compare(ByteString one, ByteString other) {
        return ByteString.unsignedLexicographicalComparator().compare(one, other);
    }
}
