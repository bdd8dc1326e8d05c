package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.proto.manifest.SstFile;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.rocksdb.LiveFileMetaData;

/**
 * Compares what RocksDB has opened with what it was told to open. RocksDB opens some sets of files
 * that make no sense without the column family they are in, and a shortened MANIFEST as an older
 * state; neither is an error to it.
 */
final class LiveSet {
    private LiveSet() {}

    /** Throws {@link ManifestException} unless both are the same files. */
    static void check(FileSet expected, List<LiveFileMetaData> opened) {
        TreeSet<String> want = new TreeSet<>();
        for (FileSet.Family family : expected.families()) {
            for (SstFile file : family.files().values()) {
                want.add(name(file.getNumber(), file.getLevel(), file.getSize(), family.name()));
            }
        }
        TreeSet<String> have = new TreeSet<>();
        for (LiveFileMetaData file : opened) {
            String family = new String(file.columnFamilyName(), StandardCharsets.UTF_8);
            have.add(name(number(file.fileName()), file.level(), file.size(), family));
        }
        if (!want.equals(have)) {
            TreeSet<String> missing = new TreeSet<>(want);
            missing.removeAll(have);
            TreeSet<String> extra = new TreeSet<>(have);
            extra.removeAll(want);
            throw new ManifestException(
                    "RocksDB opened another set of files: missing "
                            + missing
                            + ", unexpected "
                            + extra);
        }
        bounds(expected, opened);
    }

    /** The keys and sequence numbers by which RocksDB decides whether to look into a file. */
    private static void bounds(FileSet expected, List<LiveFileMetaData> opened) {
        Map<Long, SstFile> files = new HashMap<>();
        expected.families().forEach(family -> files.putAll(family.files()));
        for (LiveFileMetaData file : opened) {
            SstFile told = Invariants.present(files.get(number(file.fileName())), "live file");
            boolean same =
                    isUserKey(told.getSmallest(), file.smallestKey())
                            && isUserKey(told.getLargest(), file.largestKey())
                            && told.getSmallestSequence() == file.smallestSeqno()
                            && told.getLargestSequence() == file.largestSeqno();
            if (!same) {
                throw new ManifestException(
                        "RocksDB opened file " + told.getNumber() + " with other bounds");
            }
        }
    }

    private static boolean isUserKey(ByteString internal, byte[] key) {
        return FileSet.userKey(internal).equals(ByteString.copyFrom(key));
    }

    private static String name(long number, int level, long size, String family) {
        return number + " of " + family + " in level " + level + " with " + size + " bytes";
    }

    /** The number in a name such as {@code /000012.sst}. */
    static long number(String fileName) {
        int from = fileName.lastIndexOf('/') + 1;
        return Long.parseLong(fileName.substring(from, fileName.lastIndexOf('.')));
    }
}
