package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.CustomField;
import io.tidekv.proto.manifest.SstFile;

/** A table file as it stands in a VersionEdit (tag NEW_FILE), without the column family. */
final class FileEntry {
    private FileEntry() {}

    static SstFile read(EditReader in) {
        SstFile.Builder file = SstFile.newBuilder();
        file.setLevel(in.varint32()).setNumber(in.varint64()).setSize(in.varint64());
        file.setSmallest(in.slice()).setLargest(in.slice());
        file.setSmallestSequence(in.varint64()).setLargestSequence(in.varint64());
        for (int tag = in.varint32(); tag != Tags.FILE_END; tag = in.varint32()) {
            ByteString value = in.slice();
            // The log number is a stowaway: it is about RocksDB's own WAL, which we do not use.
            if (tag != Tags.FILE_MIN_LOG_NUMBER) {
                checkKnown(tag, value, file.getNumber());
                file.addCustom(CustomField.newBuilder().setTag(tag).setValue(value));
            }
        }
        return file.build();
    }

    static void write(EditWriter out, SstFile file) {
        out.number(Tags.NEW_FILE).number(file.getLevel()).number(file.getNumber());
        out.number(file.getSize()).slice(file.getSmallest()).slice(file.getLargest());
        out.number(file.getSmallestSequence()).number(file.getLargestSequence());
        for (CustomField field : file.getCustomList()) {
            checkKnown(field.getTag(), field.getValue(), file.getNumber());
            out.number(field.getTag()).slice(field.getValue());
        }
        out.number(Tags.FILE_END);
    }

    private static void checkKnown(int tag, ByteString value, long number) {
        if (tag <= Tags.FILE_END || (tag & Tags.FILE_NOT_IGNORABLE) != 0) {
            // The path id, the one such tag so far, says that a file lies in another directory.
            throw new ManifestException("file " + number + " has a field we do not know: " + tag);
        }
        if (tag == Tags.FILE_OLDEST_BLOB && new EditReader(value).varint64() != 0) {
            throw new ManifestException("file " + number + " refers to blob files");
        }
    }
}
