package io.tidekv.compute.tablet.manifest;

import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.CustomField;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Our record's file lists as RocksDB's file set and back. */
public final class RecordFiles {
    /** Column families of a tablet in order of their ids; log entries contain the ids. */
    public static final List<String> FAMILIES = List.of("default", "lock", "write", "meta");

    /** Id of the family with the applied mark; its files are never published. */
    public static final int META = 3;

    /** RocksDB gives its own first files numbers up to here. */
    private static final long FIRST_FILE = 10;

    private RecordFiles() {}

    /** The set of a tablet without data. */
    public static FileSet empty() {
        FileSet files = new FileSet();
        for (int id = 0; id < FAMILIES.size(); id++) {
            files.addFamily(id, FAMILIES.get(id));
        }
        files.nextFile(FIRST_FILE);
        return files;
    }

    /**
     * The set that a record describes, with an empty meta family.
     *
     * @throws ManifestException when the record makes no sense
     */
    public static FileSet of(TabletRecord record) {
        FileSet files = empty();
        files.dbId(record.getDbId());
        files.nextFile(Math.max(record.getNextFile(), FIRST_FILE));
        files.lastSequence(record.getLastSequence());
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            int id = family.getId();
            if (id < 0 || id >= META || !family.getName().equals(FAMILIES.get(id))) {
                throw new ManifestException(
                        "the record has an unknown column family: " + id + " " + family.getName());
            }
            if (!family.getComparator().equals(FileSet.COMPARATOR)) {
                throw new ManifestException("unknown key order: " + family.getComparator());
            }
            for (SstFile file : family.getFilesList()) {
                if (file.getObject().getKey().isEmpty()
                        || file.getObject().getLength() != file.getSize()) {
                    throw new ManifestException(
                            "file " + file.getNumber() + " has no object of its size");
                }
                files.family(id).add(file);
            }
        }
        files.check();
        return files;
    }

    /** All files of a record by number. */
    public static Map<Long, SstFile> byNumber(TabletRecord record) {
        Map<Long, SstFile> files = new TreeMap<>();
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            family.getFilesList().forEach(file -> files.put(file.getNumber(), file));
        }
        return files;
    }

    /** The files of one column family by number. */
    public static Map<Long, SstFile> ofFamily(TabletRecord record, int family) {
        Map<Long, SstFile> files = new TreeMap<>();
        for (ColumnFamily each : record.getColumnFamiliesList()) {
            if (each.getId() == family) {
                each.getFilesList().forEach(file -> files.put(file.getNumber(), file));
            }
        }
        return files;
    }

    /** Length of what follows the data blocks in the file; 0 when the record does not tell. */
    public static long tailBytes(SstFile file) {
        for (CustomField field : file.getCustomList()) {
            if (field.getTag() == Tags.FILE_TAIL_SIZE) {
                return new EditReader(field.getValue()).varint64();
            }
        }
        return 0;
    }

    /**
     * Fills the part of a record that comes from RocksDB. Files of the meta family stay out.
     *
     * @param objects where each file is in the object store, by local number
     */
    public static void fill(
            TabletRecord.Builder record, FileSet files, Map<Long, ObjectRef> objects) {
        record.setDbId(files.dbId());
        record.setNextFile(files.nextFile());
        record.setLastSequence(files.lastSequence());
        record.clearColumnFamilies();
        for (FileSet.Family family : files.families()) {
            if (family.id() == META) {
                continue;
            }
            ColumnFamily.Builder out =
                    record.addColumnFamiliesBuilder()
                            .setId(family.id())
                            .setName(family.name())
                            .setComparator(FileSet.COMPARATOR);
            for (SstFile file : family.files().values()) {
                ObjectRef object = objects.get(file.getNumber());
                if (object == null) {
                    throw new ManifestException("file " + file.getNumber() + " has no object");
                }
                out.addFiles(file.toBuilder().setObject(object));
            }
        }
    }
}
