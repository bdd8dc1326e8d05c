package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.RecordRange;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A tablet's file list with the outputs of a compaction that was done elsewhere in place of its
 * inputs.
 *
 * <p>The compaction has seen an older state of the tablet. Its result still fits when the tablet
 * has got nothing since but files of level 0, which are newer than all that it had: no key then has
 * a newer version below the outputs or an older one above, and whatever the compaction dropped
 * because nothing lay deeper is not missed. All this is checked here, and refused otherwise.
 */
public final class AdoptedFiles {
    private AdoptedFiles() {}

    /**
     * {@code draft} with the outputs; all else is the draft's.
     *
     * @param draft the tablet as it is now
     * @throws ManifestException when the result does not fit
     */
    public static TabletRecord adopt(TabletRecord draft, LentCompaction lent, Compacted result) {
        Map<Long, SstFile> before = RecordFiles.ofFamily(lent.base().record(), lent.family());
        Map<Long, SstFile> now = RecordFiles.ofFamily(draft, lent.family());
        List<SstFile> inputs = inputs(before, now, lent, result);
        List<SstFile> rest = new ArrayList<>(now.values());
        rest.removeAll(inputs);
        for (SstFile file : rest) {
            checkRest(file, before.get(file.getNumber()), inputs, lent.outputLevel());
        }
        long next = draft.getNextFile();
        List<SstFile> placed = new ArrayList<>(rest);
        for (SstFile output : result.outputs()) {
            checkOutput(output, inputs, draft, lent.outputLevel());
            placed.add(output.toBuilder().setNumber(next++).build());
        }
        TabletRecord.Builder adopted = draft.toBuilder().setNextFile(next);
        for (ColumnFamily.Builder family : adopted.getColumnFamiliesBuilderList()) {
            if (family.getId() == lent.family()) {
                family.clearFiles().addAllFiles(placed);
            }
        }
        TabletRecord record = RecordRange.within(adopted.build(), draft.getShape());
        RecordFiles.of(record);
        return record;
    }

    /** The files that the outputs are in place of, as they are in the tablet now. */
    private static List<SstFile> inputs(
            Map<Long, SstFile> before,
            Map<Long, SstFile> now,
            LentCompaction lent,
            Compacted result) {
        if (!result.removed().containsAll(lent.inputs())) {
            throw new ManifestException("not all that was to be compacted has been");
        }
        List<SstFile> inputs = new ArrayList<>();
        for (long number : result.removed()) {
            SstFile file = now.get(number);
            if (file == null || !isSame(file, before.get(number))) {
                throw new ManifestException(
                        "file " + number + ", which was compacted, is not in its place any more");
            }
            inputs.add(file);
        }
        return inputs;
    }

    private static boolean isSame(SstFile file, @Nullable SstFile other) {
        return other != null
                && file.getLevel() == other.getLevel()
                && file.getSize() == other.getSize()
                && file.getObject().equals(other.getObject());
    }

    /** A file that stays must be where it was, or be newer than everything. */
    private static void checkRest(
            SstFile file, @Nullable SstFile before, List<SstFile> inputs, int outputLevel) {
        boolean added = !isSame(file, before);
        if (added && file.getLevel() > 0) {
            throw new ManifestException(
                    "file "
                            + file.getNumber()
                            + " has come to level "
                            + file.getLevel()
                            + " since the compaction began");
        }
        for (SstFile input : inputs) {
            boolean above = file.getLevel() < input.getLevel();
            boolean newer =
                    file.getLevel() == 0
                            && input.getLevel() == 0
                            && isAbove(file.getSmallestSequence(), input.getLargestSequence());
            boolean below = file.getLevel() > outputLevel;
            boolean beside = file.getLevel() > 0 && file.getLevel() == input.getLevel();
            if (!above && !newer && !below && !beside && overlap(file, input)) {
                throw new ManifestException(
                        "file "
                                + file.getNumber()
                                + " lies between file "
                                + input.getNumber()
                                + " and what has become of it");
            }
        }
    }

    private static void checkOutput(
            SstFile output, List<SstFile> inputs, TabletRecord draft, int outputLevel) {
        String key = output.getObject().getKey();
        ObjectKeys.Parts name = ObjectKeys.parse(key);
        boolean own =
                name != null
                        && !name.record()
                        && name.regionId() == draft.getShape().getRegionId()
                        && name.term() == draft.getTerm();
        if (!own) {
            // Whoever collects garbage relies on it.
            throw new ManifestException("an output is no file of the region and term: " + key);
        }
        ByteString smallest = FileSet.userKey(checked(output.getSmallest(), key));
        ByteString largest = FileSet.userKey(checked(output.getLargest(), key));
        boolean from = false;
        boolean to = false;
        boolean sequences = false;
        for (SstFile input : inputs) {
            from |= compare(FileSet.userKey(input.getSmallest()), smallest) <= 0;
            to |= compare(FileSet.userKey(input.getLargest()), largest) >= 0;
            sequences |= !isAbove(output.getLargestSequence(), input.getLargestSequence());
        }
        if (!from || !to || !sequences || output.getLevel() != outputLevel) {
            throw new ManifestException("an output cannot have come from the inputs: " + key);
        }
    }

    private static ByteString checked(ByteString internal, String key) {
        if (internal.size() < Long.BYTES) {
            throw new ManifestException("an output has no sensible key range: " + key);
        }
        return internal;
    }

    private static boolean overlap(SstFile one, SstFile other) {
        return compare(FileSet.userKey(one.getSmallest()), FileSet.userKey(other.getLargest())) <= 0
                && compare(FileSet.userKey(other.getSmallest()), FileSet.userKey(one.getLargest()))
                        <= 0;
    }

    private static boolean isAbove(long sequence, long other) {
        return Long.compareUnsigned(sequence, other) > 0;
    }

    private static int compare(ByteString one, ByteString other) {
        return ByteString.unsignedLexicographicalComparator().compare(one, other);
    }
}
