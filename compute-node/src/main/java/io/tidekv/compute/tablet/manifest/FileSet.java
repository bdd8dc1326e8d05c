package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.SstFile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a RocksDB consists of: its column families and their table files, with the counters that it
 * goes on from. Mutable while it is built; not thread-safe.
 */
public final class FileSet {
    public static final String COMPARATOR = "leveldb.BytewiseComparator";

    /** RocksDB's internal keys end with 8 bytes of sequence number and type. */
    private static final int INTERNAL_SUFFIX = 8;

    private static final Comparator<ByteString> KEY_ORDER =
            ByteString.unsignedLexicographicalComparator();

    private final TreeMap<Integer, Family> families = new TreeMap<>();
    private String dbId = "";
    private long nextFile;
    private long lastSequence;

    /** A column family with its files by number. */
    public static final class Family {
        private final int id;
        private final String name;
        private final TreeMap<Long, SstFile> files = new TreeMap<>();

        private Family(int id, String name) {
            this.id = id;
            this.name = name;
        }

        public int id() {
            return id;
        }

        public String name() {
            return name;
        }

        public SortedMap<Long, SstFile> files() {
            return Collections.unmodifiableSortedMap(files);
        }

        /** Adds a file; its number must be new in this family. */
        public void add(SstFile file) {
            if (files.putIfAbsent(file.getNumber(), file) != null) {
                throw new ManifestException("file " + file.getNumber() + " is listed twice");
            }
        }

        void remove(long number) {
            if (files.remove(number) == null) {
                throw new ManifestException("deletes file " + number + ", which is not there");
            }
        }
    }

    /** Adds an empty column family; its id must be new. */
    public Family addFamily(int id, String name) {
        Family family = new Family(id, name);
        if (families.putIfAbsent(id, family) != null) {
            throw new ManifestException("column family " + id + " is listed twice");
        }
        return family;
    }

    void dropFamily(int id) {
        family(id);
        families.remove(id);
    }

    public Family family(int id) {
        Family family = families.get(id);
        if (family == null) {
            throw new ManifestException("column family " + id + " is not known");
        }
        return family;
    }

    /** In order of their ids. */
    public List<Family> families() {
        return List.copyOf(families.values());
    }

    public String dbId() {
        return dbId;
    }

    public void dbId(String id) {
        dbId = id;
    }

    /** Number that the next file gets; above every file's. */
    public long nextFile() {
        return nextFile;
    }

    public void nextFile(long number) {
        nextFile = number;
    }

    public long lastSequence() {
        return lastSequence;
    }

    public void lastSequence(long sequence) {
        lastSequence = sequence;
    }

    /**
     * Throws unless RocksDB could have written this set. RocksDB itself opens some sets that make
     * no sense, as a tablet that has lost part of its data.
     */
    public void check() {
        Set<Long> numbers = new HashSet<>();
        for (Family family : families.values()) {
            for (SstFile file : family.files.values()) {
                check(file);
                if (!numbers.add(file.getNumber())) {
                    throw new ManifestException(
                            "file " + file.getNumber() + " is in two column families");
                }
            }
            disjoint(family);
        }
    }

    private void check(SstFile file) {
        String name = "file " + file.getNumber();
        if (file.getNumber() <= 0 || file.getNumber() >= nextFile) {
            throw new ManifestException(name + " is not below the next file number " + nextFile);
        }
        if (file.getSmallest().size() < INTERNAL_SUFFIX
                || file.getLargest().size() < INTERNAL_SUFFIX
                || KEY_ORDER.compare(userKey(file.getSmallest()), userKey(file.getLargest())) > 0) {
            throw new ManifestException(name + " has no sensible key range");
        }
        if (file.getSize() <= 0 || file.getLevel() > 6) {
            throw new ManifestException(name + " has no sensible size or level");
        }
        if (Long.compareUnsigned(file.getSmallestSequence(), file.getLargestSequence()) > 0
                || Long.compareUnsigned(file.getLargestSequence(), lastSequence) > 0) {
            throw new ManifestException(name + " has no sensible sequence numbers");
        }
        if (file.getCustomList().stream().noneMatch(f -> f.getTag() == Tags.FILE_UNIQUE_ID)) {
            // Without it RocksDB would take any file of this name and size for this one.
            throw new ManifestException(name + " has no unique id");
        }
    }

    private static void disjoint(Family family) {
        List<SstFile> files = new ArrayList<>(family.files.values());
        files.sort(
                Comparator.comparingInt(SstFile::getLevel)
                        .thenComparing(SstFile::getSmallest, KEY_ORDER));
        for (int i = 1; i < files.size(); i++) {
            SstFile before = files.get(i - 1);
            SstFile file = files.get(i);
            if (file.getLevel() > 0
                    && file.getLevel() == before.getLevel()
                    && KEY_ORDER.compare(userKey(before.getLargest()), userKey(file.getSmallest()))
                            > 0) {
                throw new ManifestException(
                        "files "
                                + before.getNumber()
                                + " and "
                                + file.getNumber()
                                + " overlap in level "
                                + file.getLevel());
            }
        }
    }

    /** The user's part of an internal key. */
    public static ByteString userKey(ByteString internal) {
        return internal.substring(0, internal.size() - INTERNAL_SUFFIX);
    }
}
