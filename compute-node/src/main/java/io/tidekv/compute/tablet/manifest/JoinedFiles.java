package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.CustomField;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The file lists of two tablets whose files hold no key in common, as those of one. No file is
 * touched: the added ones get numbers of their own and come before the others in level 0, which
 * matters to RocksDB but not to any key. The counters go on from the higher ones, so that whatever
 * is written next is newer than everything in either.
 */
public final class JoinedFiles {
    private JoinedFiles() {}

    /**
     * {@code base} with the files of {@code added}; all else is the base's.
     *
     * @throws ManifestException when files that must not overlap do
     */
    public static TabletRecord join(TabletRecord base, TabletRecord added) {
        long next = Math.max(base.getNextFile(), RecordFiles.empty().nextFile());
        Map<Integer, ColumnFamily> more = new HashMap<>();
        added.getColumnFamiliesList().forEach(family -> more.put(family.getId(), family));
        TabletRecord.Builder joined = base.toBuilder().clearColumnFamilies();
        Set<Integer> known = new HashSet<>();
        for (ColumnFamily family : base.getColumnFamiliesList()) {
            known.add(family.getId());
            ColumnFamily other = more.get(family.getId());
            List<SstFile> files = other == null ? List.of() : other.getFilesList();
            joined.addColumnFamilies(
                    family.toBuilder().addAllFiles(behind(family.getFilesList(), files, next)));
            next += files.size();
        }
        for (ColumnFamily family : added.getColumnFamiliesList()) {
            if (!known.contains(family.getId())) {
                List<SstFile> files = family.getFilesList();
                joined.addColumnFamilies(
                        family.toBuilder()
                                .clearFiles()
                                .addAllFiles(behind(List.of(), files, next)));
                next += files.size();
            }
        }
        joined.setNextFile(next)
                .setLastSequence(Math.max(base.getLastSequence(), added.getLastSequence()))
                .clearMaxCommitTs();
        if (base.hasMaxCommitTs() && added.hasMaxCommitTs()) {
            joined.setMaxCommitTs(Ts.max(base.getMaxCommitTs(), added.getMaxCommitTs()));
        }
        return joined.build();
    }

    private static List<SstFile> behind(List<SstFile> there, List<SstFile> files, long first) {
        long epochs = 0;
        for (SstFile file : there) {
            epochs = Math.max(epochs, epoch(file));
        }
        List<SstFile> renumbered = new ArrayList<>();
        long number = first;
        for (SstFile file : files) {
            long epoch = epoch(file);
            SstFile.Builder copy = file.toBuilder().setNumber(number++);
            renumbered.add(epoch == 0 ? copy.build() : withEpoch(copy.build(), epochs + epoch));
        }
        return renumbered;
    }

    /** The place of a file in level 0; 0 when it has none. */
    public static long epoch(SstFile file) {
        for (CustomField field : file.getCustomList()) {
            if (field.getTag() == Tags.FILE_EPOCH) {
                return new EditReader(field.getValue()).varint64();
            }
        }
        return 0;
    }

    /** The file at another place of level 0. */
    public static SstFile withEpoch(SstFile file, long epoch) {
        SstFile.Builder moved = file.toBuilder();
        ByteString value = new EditWriter().number(epoch).bytes();
        for (int i = 0; i < moved.getCustomCount(); i++) {
            if (moved.getCustom(i).getTag() == Tags.FILE_EPOCH) {
                moved.setCustom(i, moved.getCustom(i).toBuilder().setValue(value));
            }
        }
        return moved.build();
    }
}
