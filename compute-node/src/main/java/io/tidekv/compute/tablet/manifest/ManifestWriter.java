package io.tidekv.compute.tablet.manifest;

import io.tidekv.proto.manifest.SstFile;
import java.io.ByteArrayOutputStream;
import java.util.Locale;

/** Writes a compact MANIFEST: the live files only, as after RocksDB's own roll of the file. */
public final class ManifestWriter {
    private ManifestWriter() {}

    /** The bytes of a MANIFEST whose own number is below {@code files.nextFile()}. */
    public static byte[] write(FileSet files) {
        ByteArrayOutputStream log = new ByteArrayOutputStream(256);
        if (!files.dbId().isEmpty()) {
            LogFrames.append(log, new EditWriter().number(Tags.DB_ID).text(files.dbId()).bytes());
        }
        int maxFamily = 0;
        for (FileSet.Family family : files.families()) {
            maxFamily = Math.max(maxFamily, family.id());
        }
        for (FileSet.Family family : files.families()) {
            LogFrames.append(log, head(family).bytes());
            EditWriter edit = new EditWriter();
            edit.number(Tags.LOG_NUMBER).number(0).number(Tags.PREVIOUS_LOG_NUMBER).number(0);
            edit.number(Tags.NEXT_FILE_NUMBER).number(files.nextFile());
            edit.number(Tags.LAST_SEQUENCE).number(files.lastSequence());
            if (family.id() == 0) {
                edit.number(Tags.MAX_COLUMN_FAMILY).number(maxFamily);
            } else {
                edit.number(Tags.COLUMN_FAMILY).number(family.id());
            }
            for (SstFile file : family.files().values()) {
                FileEntry.write(edit, file);
            }
            LogFrames.append(log, edit.bytes());
        }
        return log.toByteArray();
    }

    /** Family 0 exists by itself, all others are added. */
    private static EditWriter head(FileSet.Family family) {
        EditWriter edit = new EditWriter().number(Tags.COMPARATOR).text(FileSet.COMPARATOR);
        if (family.id() != 0) {
            edit.number(Tags.COLUMN_FAMILY).number(family.id());
            edit.number(Tags.COLUMN_FAMILY_ADD).text(family.name());
        }
        return edit;
    }

    /** RocksDB's name of the MANIFEST with this number. */
    public static String manifestName(long number) {
        return String.format(Locale.ROOT, "MANIFEST-%06d", number);
    }

    /** RocksDB's name of the table file with this number. */
    public static String tableName(long number) {
        return String.format(Locale.ROOT, "%06d.sst", number);
    }
}
