package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which of a record's files a read can touch: known without having any of them. Immutable. Answers
 * may name files that RocksDB has compacted away since, never fewer than it needs of those in the
 * record.
 */
final class FileIndex {
    /** A file with its range of user keys, both ends inclusive. */
    static final class File {
        private final long number;
        private final int level;
        private final byte[] smallest;
        private final byte[] largest;
        private final ObjectRef object;
        private final long tailBytes;

        private File(SstFile file) {
            number = file.getNumber();
            level = file.getLevel();
            smallest = FileSet.userKey(file.getSmallest()).toByteArray();
            largest = FileSet.userKey(file.getLargest()).toByteArray();
            object = file.getObject();
            tailBytes = RecordFiles.tailBytes(file);
        }

        long number() {
            return number;
        }

        int level() {
            return level;
        }

        ObjectRef object() {
            return object;
        }

        /** Bytes behind the data blocks; 0 when not known. */
        long tailBytes() {
            return tailBytes;
        }
    }

    /** A range that touches more files of a level is not small. */
    private static final int NARROW_MAX = 2;

    private final Map<Long, File> byNumber = new HashMap<>();

    /** Per column family the levels in order; in level 0 by number, in the others by key. */
    private final Map<Integer, List<List<File>>> families = new HashMap<>();

    FileIndex(@Nullable TabletRecord record) {
        if (record == null) {
            return;
        }
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            TreeMap<Integer, List<File>> levels = new TreeMap<>();
            for (SstFile listed : family.getFilesList()) {
                File file = new File(listed);
                byNumber.put(file.number, file);
                levels.computeIfAbsent(file.level, level -> new ArrayList<>()).add(file);
            }
            levels.values().forEach(files -> files.sort(order()));
            families.put(family.getId(), new ArrayList<>(levels.values()));
        }
    }

    private static Comparator<File> order() {
        return Comparator.comparing(file -> file.smallest, Arrays::compareUnsigned);
    }

    Collection<File> files() {
        return byNumber.values();
    }

    @Nullable File file(long number) {
        return byNumber.get(number);
    }

    /** Files that may hold the key. */
    List<File> covering(int family, byte[] key) {
        List<File> found = new ArrayList<>();
        for (List<File> level : levels(family)) {
            if (level.get(0).level == 0) {
                for (File file : level) {
                    addIfCovering(found, file, key);
                }
            } else {
                // Neighbours may share the user key at their border.
                int at = firstEndingAtOrAfter(level, key);
                while (at < level.size() && addIfCovering(found, level.get(at), key)) {
                    at++;
                }
            }
        }
        return found;
    }

    /**
     * Files that an iterator over {@code range} opens when it moves to {@code key}: all of level 0,
     * and in each other level the one at the key or the next in its direction.
     */
    List<File> seeking(int family, KeyRange range, byte[] key, boolean forward) {
        List<File> found = new ArrayList<>();
        for (List<File> level : levels(family)) {
            if (level.get(0).level == 0) {
                for (File file : level) {
                    if (range.touches(file.smallest, file.largest)) {
                        found.add(file);
                    }
                }
                continue;
            }
            int chosen = at(level, key, forward);
            if (chosen >= 0 && chosen < level.size()) {
                File file = level.get(chosen);
                if (range.touches(file.smallest, file.largest)) {
                    found.add(file);
                }
            }
        }
        return found;
    }

    /** The files behind {@code chosen} in an iterator's direction, one for each level below 0. */
    List<File> after(int family, KeyRange range, List<File> chosen, boolean forward) {
        List<File> found = new ArrayList<>();
        for (List<File> level : levels(family)) {
            for (File file : chosen) {
                if (file.level == 0 || file.level != level.get(0).level) {
                    continue;
                }
                int at = level.indexOf(file) + (forward ? 1 : -1);
                if (at >= 0 && at < level.size()) {
                    File next = level.get(at);
                    if (range.touches(next.smallest, next.largest)) {
                        found.add(next);
                    }
                }
            }
        }
        return found;
    }

    /**
     * All files that touch the range, or null when it is no small one: it spans more than two files
     * in some level below 0.
     */
    @Nullable List<File> narrow(int family, KeyRange range) {
        List<File> found = new ArrayList<>();
        for (List<File> level : levels(family)) {
            boolean isZero = level.get(0).level == 0;
            int at = isZero ? 0 : firstEndingAtOrAfter(level, range.start());
            for (int count = 0; at < level.size(); at++) {
                File file = level.get(at);
                if (range.touches(file.smallest, file.largest)) {
                    found.add(file);
                    count++;
                } else if (!isZero) {
                    break;
                }
                if (!isZero && count > NARROW_MAX) {
                    return null;
                }
            }
        }
        return found;
    }

    /**
     * Where an iterator that was moved to {@code key} may leave, in its direction, what {@link
     * #seeking} named.
     *
     * @param file the first file behind for which {@code doubtful} says so
     * @param border when the iterator stands at this key, or behind it, its next step may lead into
     *     the file, or its last one has
     */
    @SuppressWarnings("ArrayRecordComponent") // made for one iterator, never changed
    record Edge(File file, byte[] border, boolean forward) {
        /** Whether an iterator at this key, or at its end, may have been in the file. */
        boolean isCrossed(byte @Nullable [] key) {
            if (key == null) {
                return true;
            }
            int order = Arrays.compareUnsigned(key, border);
            return forward ? order >= 0 : order <= 0;
        }
    }

    /** The nearest edge of all levels, or null when there is none. */
    @Nullable Edge edge(
            int family, KeyRange range, byte[] key, boolean forward, Predicate<File> doubtful) {
        Edge nearest = null;
        for (List<File> level : levels(family)) {
            if (level.get(0).level == 0) {
                continue;
            }
            int step = forward ? 1 : -1;
            int chosen = at(level, key, forward);
            for (int i = chosen + step; i >= 0 && i < level.size(); i += step) {
                File file = level.get(i);
                if (!range.touches(file.smallest, file.largest)) {
                    break;
                }
                if (doubtful.test(file)) {
                    File before = level.get(i - step);
                    // Backwards RocksDB is always one key ahead of where it says it is.
                    byte[] border = before.largest;
                    if (nearest == null || !nearest.isCrossed(border)) {
                        nearest = new Edge(file, border, forward);
                    }
                    break;
                }
            }
        }
        return nearest;
    }

    private static boolean addIfCovering(List<File> found, File file, byte[] key) {
        boolean covers =
                Arrays.compareUnsigned(file.smallest, key) <= 0
                        && Arrays.compareUnsigned(key, file.largest) <= 0;
        if (covers) {
            found.add(file);
        }
        return covers;
    }

    /**
     * Where in a level below 0 an iterator stands that moves to {@code key}: in the file at the key
     * or the next in its direction, which need not be there.
     */
    private static int at(List<File> level, byte[] key, boolean forward) {
        int at = firstEndingAtOrAfter(level, key);
        boolean startsAfter =
                at == level.size() || Arrays.compareUnsigned(level.get(at).smallest, key) > 0;
        return forward || !startsAfter ? at : at - 1;
    }

    private static int firstEndingAtOrAfter(List<File> level, byte[] key) {
        int low = 0;
        int high = level.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Arrays.compareUnsigned(level.get(middle).largest, key) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private List<List<File>> levels(int family) {
        return families.getOrDefault(family, List.of());
    }
}
