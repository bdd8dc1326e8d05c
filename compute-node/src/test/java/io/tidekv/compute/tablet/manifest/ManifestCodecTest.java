package io.tidekv.compute.tablet.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.CustomField;
import io.tidekv.proto.manifest.SstFile;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ManifestCodecTest {
    private static ByteString internal(String key, long sequence) {
        byte[] suffix = new byte[8];
        ByteBuffer.wrap(suffix).putLong(Long.reverseBytes(sequence << 8 | 1));
        return ByteString.copyFromUtf8(key).concat(ByteString.copyFrom(suffix));
    }

    private static SstFile file(long number, int level, String from, String to) {
        return SstFile.newBuilder()
                .setLevel(level)
                .setNumber(number)
                .setSize(1000 + number)
                .setSmallest(internal(from, 5))
                .setLargest(internal(to, 9))
                .setSmallestSequence(5)
                .setLargestSequence(9)
                .addCustom(field(Tags.FILE_UNIQUE_ID, "0123456789abcdef"))
                .addCustom(field(Tags.FILE_EPOCH, "\7"))
                .addCustom(field(Tags.FILE_TAIL_SIZE, "\5"))
                .addCustom(field(40, "from the future, ignorable"))
                .build();
    }

    private static CustomField field(int tag, String value) {
        return CustomField.newBuilder()
                .setTag(tag)
                .setValue(ByteString.copyFromUtf8(value))
                .build();
    }

    private static FileSet set(int files) {
        FileSet set = RecordFiles.empty();
        set.dbId("some-id");
        set.nextFile(100_000);
        set.lastSequence(1L << 40);
        for (int i = 0; i < files; i++) {
            String from = String.format(Locale.ROOT, "k%06d", 2 * i);
            set.family(i % 3).add(file(20 + i, i % 7, from, from + "x"));
        }
        set.check();
        return set;
    }

    private static void assertSame(FileSet actual, FileSet expected) {
        assertThat(actual.dbId()).isEqualTo(expected.dbId());
        assertThat(actual.nextFile()).isEqualTo(expected.nextFile());
        assertThat(actual.lastSequence()).isEqualTo(expected.lastSequence());
        assertThat(actual.families()).hasSameSizeAs(expected.families());
        for (FileSet.Family family : expected.families()) {
            assertThat(actual.family(family.id()).name()).isEqualTo(family.name());
            assertThat(actual.family(family.id()).files()).isEqualTo(family.files());
        }
    }

    @Test
    void whatIsWrittenIsRead() {
        for (int files : new int[] {0, 1, 20, 700, 3000}) {
            FileSet set = set(files);
            byte[] manifest = ManifestWriter.write(set);
            assertSame(ManifestReader.read(ByteString.copyFrom(manifest)), set);
        }
    }

    @Test
    void cutOffManifestIsRefusedOrAnOlderState() {
        FileSet set = set(300);
        byte[] manifest = ManifestWriter.write(set);
        int refused = 0;
        for (int length = 0; length < manifest.length; length += 13) {
            try {
                FileSet older = ManifestReader.read(ByteString.copyFrom(manifest, 0, length));
                int files = 0;
                for (FileSet.Family family : older.families()) {
                    files += family.files().size();
                }
                assertThat(files).isLessThan(300);
            } catch (ManifestException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(manifest.length / 13 - 10);
    }

    @Test
    void everyFlippedBitIsNoticed() {
        FileSet set = set(40);
        byte[] manifest = ManifestWriter.write(set);
        Random random = new Random(3);
        for (int i = 0; i < 3000; i++) {
            byte[] damaged = manifest.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> ManifestReader.read(ByteString.copyFrom(damaged)))
                    .isInstanceOf(ManifestException.class);
        }
    }

    @Test
    void garbageWithAGoodChecksumIsATypedError() {
        Random random = new Random(4);
        for (int i = 0; i < 5000; i++) {
            byte[] record = new byte[random.nextInt(60)];
            random.nextBytes(record);
            ByteArrayOutputStream log = new ByteArrayOutputStream();
            LogFrames.append(log, ByteString.copyFrom(record));
            try {
                ManifestReader.read(ByteString.copyFrom(log.toByteArray()));
            } catch (ManifestException e) {
                assertThat(e).hasMessageNotContaining("null");
            }
        }
    }

    private static ByteString manifest(EditWriter edit) {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        LogFrames.append(log, edit.bytes());
        return ByteString.copyFrom(log.toByteArray());
    }

    @Test
    void unknownFieldsAreRefusedUnlessTheyMayBeIgnored() {
        ManifestReader.read(
                manifest(new EditWriter().number(Tags.IGNORABLE + 99).text("whatever")));
        assertThatThrownBy(() -> ManifestReader.read(manifest(new EditWriter().number(400))))
                .isInstanceOf(ManifestException.class)
                .hasMessageContaining("400");
        FileSet strange = RecordFiles.empty();
        SstFile elsewhere =
                file(20, 0, "a", "b").toBuilder().addCustom(field(Tags.FILE_PATH_ID, "\1")).build();
        strange.family(0).add(elsewhere);
        assertThatThrownBy(() -> ManifestWriter.write(strange))
                .isInstanceOf(ManifestException.class)
                .hasMessageContaining("65");
        assertThatThrownBy(
                        () ->
                                ManifestReader.read(
                                        manifest(
                                                new EditWriter()
                                                        .number(Tags.COMPARATOR)
                                                        .text("another"))))
                .isInstanceOf(ManifestException.class);
    }

    @Test
    void atomicGroupsTakeEffectWhole() {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        LogFrames.append(log, new EditWriter().number(Tags.IN_ATOMIC_GROUP).number(1).bytes());
        ByteString half = ByteString.copyFrom(log.toByteArray());
        assertThatThrownBy(() -> ManifestReader.read(half)).isInstanceOf(ManifestException.class);
        LogFrames.append(log, new EditWriter().number(Tags.IN_ATOMIC_GROUP).number(0).bytes());
        ManifestReader.read(ByteString.copyFrom(log.toByteArray()));
    }

    @Test
    void setsThatRocksDbWouldMisreadAreRefused() {
        FileSet overlap = RecordFiles.empty();
        overlap.nextFile(100);
        overlap.lastSequence(10);
        overlap.family(0).add(file(20, 6, "a", "m"));
        overlap.family(0).add(file(21, 6, "l", "z"));
        assertThatThrownBy(overlap::check).hasMessageContaining("overlap");

        FileSet number = RecordFiles.empty();
        number.lastSequence(10);
        number.family(0).add(file(20, 6, "a", "m"));
        assertThatThrownBy(number::check).hasMessageContaining("next file");

        FileSet sequence = RecordFiles.empty();
        sequence.nextFile(100);
        sequence.family(0).add(file(20, 6, "a", "m"));
        assertThatThrownBy(sequence::check).hasMessageContaining("sequence");

        FileSet inverted = RecordFiles.empty();
        inverted.nextFile(100);
        inverted.lastSequence(10);
        inverted.family(0).add(file(20, 6, "m", "a"));
        assertThatThrownBy(inverted::check).hasMessageContaining("range");
    }
}
