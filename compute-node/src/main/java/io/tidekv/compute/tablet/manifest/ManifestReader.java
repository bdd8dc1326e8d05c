package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.SstFile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a MANIFEST: the files that are live after all its edits. */
public final class ManifestReader {
    private final FileSet files = new FileSet();
    private final List<Edit> group = new ArrayList<>();

    private ManifestReader() {
        files.addFamily(0, "default");
    }

    /**
     * @param manifest whole records, such as the prefix that {@code getLiveFiles} names. A prefix
     *     that ends between two records is a valid older state: compare with what should be live.
     * @throws ManifestException when damaged, cut off or of a format that we do not know
     */
    public static FileSet read(ByteString manifest) {
        ManifestReader reader = new ManifestReader();
        for (ByteString record : LogFrames.read(manifest)) {
            reader.take(Edit.parse(record));
        }
        if (!reader.group.isEmpty()) {
            throw new ManifestException("ends inside an atomic group of edits");
        }
        return reader.files;
    }

    /** Edits of a group take effect together, when the last has been read. */
    private void take(Edit edit) {
        if (edit.leftInGroup < 0) {
            if (!group.isEmpty()) {
                throw new ManifestException("an atomic group of edits is interrupted");
            }
            apply(edit);
            return;
        }
        group.add(edit);
        if (edit.leftInGroup == 0) {
            group.forEach(this::apply);
            group.clear();
        }
    }

    private void apply(Edit edit) {
        if (edit.dbId != null) {
            files.dbId(edit.dbId);
        }
        files.nextFile(Math.max(files.nextFile(), edit.nextFile));
        files.lastSequence(Math.max(files.lastSequence(), edit.lastSequence));
        if (edit.added != null) {
            files.addFamily(edit.family, edit.added);
        }
        if (edit.dropped) {
            files.dropFamily(edit.family);
            return;
        }
        FileSet.Family family = files.family(edit.family);
        edit.deletedFiles.forEach(family::remove);
        edit.newFiles.forEach(family::add);
    }

    /** One record of the MANIFEST. */
    private static final class Edit {
        private int family;
        private @Nullable String added;
        private boolean dropped;
        private @Nullable String dbId;
        private long nextFile;
        private long lastSequence;
        private int leftInGroup = -1;
        private final List<Long> deletedFiles = new ArrayList<>();
        private final List<SstFile> newFiles = new ArrayList<>();

        static Edit parse(ByteString record) {
            Edit edit = new Edit();
            EditReader in = new EditReader(record);
            while (in.more()) {
                edit.field(in.varint32(), in);
            }
            return edit;
        }

        private void field(int tag, EditReader in) {
            switch (tag) {
                case Tags.COMPARATOR -> comparator(in.text());
                case Tags.NEXT_FILE_NUMBER -> nextFile = in.varint64();
                case Tags.LAST_SEQUENCE -> lastSequence = in.varint64();
                case Tags.DELETED_FILE -> {
                    in.varint32();
                    deletedFiles.add(in.varint64());
                }
                case Tags.NEW_FILE -> newFiles.add(FileEntry.read(in));
                case Tags.COLUMN_FAMILY -> family = in.varint32();
                case Tags.COLUMN_FAMILY_ADD -> added = in.text();
                case Tags.COLUMN_FAMILY_DROP -> dropped = true;
                case Tags.IN_ATOMIC_GROUP -> leftInGroup = in.varint32();
                case Tags.DB_ID -> dbId = in.text();
                default -> skip(tag, in);
            }
        }

        /** Fields about RocksDB's WAL and its choice of compactions, which we do not use. */
        private static void skip(int tag, EditReader in) {
            switch (tag) {
                case Tags.LOG_NUMBER, Tags.PREVIOUS_LOG_NUMBER, Tags.MIN_LOG_NUMBER_TO_KEEP ->
                        in.varint64();
                case Tags.MAX_COLUMN_FAMILY -> in.varint32();
                case Tags.COMPACT_CURSOR -> {
                    in.varint32();
                    in.slice();
                }
                default -> {
                    if ((tag & Tags.IGNORABLE) == 0) {
                        throw new ManifestException("an edit has a field we do not know: " + tag);
                    }
                    in.slice();
                }
            }
        }

        private static void comparator(String name) {
            if (!name.equals(FileSet.COMPARATOR)) {
                throw new ManifestException("keys are in an order we do not know: " + name);
            }
        }
    }
}
