package io.tidekv.objects.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.objects.store.ObjectNames;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What must be true of every record, whoever wrote it. */
public final class RecordChecks {
    private static final int LEVELS = 7;
    private static final int FILES_MAX = 1_000_000;
    private static final long FILE_BYTES_MAX = 1L << 40;
    private static final String COMPARATOR = "leveldb.BytewiseComparator";

    private RecordChecks() {}

    /** The first thing wrong with the record, or null. */
    public static @Nullable String problem(TabletRecord record) {
        if (record.getFormatVersion() != RecordCodec.FORMAT_VERSION) {
            return "its content's version is "
                    + Integer.toUnsignedString(record.getFormatVersion())
                    + ", this build reads "
                    + RecordCodec.FORMAT_VERSION;
        }
        String shape = shapeProblem(record.getShape());
        if (shape != null) {
            return shape;
        }
        if (record.getApiMode() < 1 || record.getApiMode() > 3) {
            return "API mode " + Integer.toUnsignedString(record.getApiMode());
        }
        Set<Integer> ids = new HashSet<>();
        Set<String> names = new HashSet<>();
        Set<Long> numbers = new HashSet<>();
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            if (!ids.add(family.getId()) || !names.add(family.getName())) {
                return "column family " + family.getName() + " twice";
            }
            String problem = familyProblem(record, family, numbers);
            if (problem != null) {
                return "column family " + family.getName() + ": " + problem;
            }
        }
        return numbers.size() > FILES_MAX ? numbers.size() + " files" : null;
    }

    private static @Nullable String shapeProblem(RegionShape shape) {
        if (shape.getRegionId() == 0) {
            return "no region id";
        }
        boolean inverted =
                !shape.getEndKey().isEmpty()
                        && compare(shape.getStartKey(), shape.getEndKey()) >= 0;
        return inverted ? "its range is empty or inverted" : null;
    }

    private static @Nullable String familyProblem(
            TabletRecord record, ColumnFamily family, Set<Long> numbers) {
        if (!family.getComparator().isEmpty() && !family.getComparator().equals(COMPARATOR)) {
            return "unknown comparator";
        }
        for (SstFile file : family.getFilesList()) {
            String problem = fileProblem(record, file);
            if (problem == null && !numbers.add(file.getNumber())) {
                problem = "its number is taken";
            }
            if (problem != null) {
                return "file " + Long.toUnsignedString(file.getNumber()) + ": " + problem;
            }
        }
        return overlap(family);
    }

    private static @Nullable String fileProblem(TabletRecord record, SstFile file) {
        if (file.getLevel() < 0 || file.getLevel() >= LEVELS) {
            return "level " + Integer.toUnsignedString(file.getLevel());
        }
        if (file.getNumber() <= 0 || file.getNumber() >= record.getNextFile()) {
            return "next file number is " + Long.toUnsignedString(record.getNextFile());
        }
        if (file.getSize() <= 0 || file.getSize() > FILE_BYTES_MAX) {
            return "size " + Long.toUnsignedString(file.getSize());
        }
        if (file.getSmallest().size() < InternalKeys.SUFFIX_BYTES
                || file.getLargest().size() < InternalKeys.SUFFIX_BYTES) {
            return "a bound is too short for an internal key";
        }
        if (InternalKeys.compare(file.getSmallest(), file.getLargest()) > 0) {
            return "its smallest key is above its largest";
        }
        long smallest = file.getSmallestSequence();
        long largest = file.getLargestSequence();
        if (smallest < 0 || smallest > largest || largest > record.getLastSequence()) {
            return "sequence numbers "
                    + smallest
                    + " to "
                    + largest
                    + " of "
                    + record.getLastSequence();
        }
        return objectProblem(file);
    }

    private static @Nullable String objectProblem(SstFile file) {
        ObjectRef object = file.getObject();
        if (!ObjectNames.isValid(object.getKey())) {
            return "no name of an object";
        }
        if (object.getOffset() < 0 || object.getLength() != file.getSize()) {
            return "its object has " + object.getLength() + " bytes, the file " + file.getSize();
        }
        return null;
    }

    /** Files of a level from 1 on are disjoint, as RocksDB itself demands. */
    private static @Nullable String overlap(ColumnFamily family) {
        for (int level = 1; level < LEVELS; level++) {
            List<SstFile> files = new ArrayList<>();
            for (SstFile file : family.getFilesList()) {
                if (file.getLevel() == level) {
                    files.add(file);
                }
            }
            files.sort(Comparator.comparing(SstFile::getSmallest, InternalKeys::compare));
            for (int i = 1; i < files.size(); i++) {
                SstFile left = files.get(i - 1);
                SstFile right = files.get(i);
                if (InternalKeys.compare(left.getLargest(), right.getSmallest()) >= 0) {
                    return "files "
                            + left.getNumber()
                            + " and "
                            + right.getNumber()
                            + " overlap on level "
                            + level;
                }
            }
        }
        return null;
    }

    private static int compare(ByteString left, ByteString right) {
        return ByteString.unsignedLexicographicalComparator().compare(left, right);
    }
}
