package io.tidekv.objects.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.InvariantViolation;
import io.tidekv.objects.TestRecords;
import io.tidekv.proto.manifest.TabletRecord;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class RecordCodecTest {
    private static final String NAME = "record/3/5-2-u";
    private static final RecordCodec.Expected OURS = new RecordCodec.Expected(7, 3);
    private final TabletRecord record = TestRecords.record(3).build();
    private final byte[] frame = RecordCodec.encode(record);

    private static void assertDamaged(byte[] frame, String problem) {
        assertThatThrownBy(() -> RecordCodec.decode(NAME, frame, OURS))
                .isInstanceOfSatisfying(
                        RecordDamaged.class,
                        e -> {
                            assertThat(e.object()).isEqualTo(NAME);
                            assertThat(e).hasMessageContaining(NAME);
                            assertThat(e).hasMessageContaining(problem);
                        });
    }

    @Test
    void decodesWhatItEncodes() {
        assertThat(RecordCodec.decode(NAME, frame, OURS)).isEqualTo(record);
    }

    @Test
    void theFrameIsAsDocumented() {
        ByteBuffer header = ByteBuffer.wrap(frame);
        byte[] magic = new byte[8];
        header.get(magic);
        assertThat(magic).asString().isEqualTo("TideRec\n");
        assertThat(header.getInt()).isEqualTo(1);
        assertThat(header.getInt()).isEqualTo(frame.length - 20);
        CRC32C crc = new CRC32C();
        crc.update(frame, 0, 16);
        crc.update(frame, 20, frame.length - 20);
        assertThat(header.getInt()).isEqualTo((int) crc.getValue());
    }

    @Test
    void everyTruncationAndExtensionIsRefused() {
        for (int length = 0; length < frame.length; length++) {
            assertDamaged(Arrays.copyOf(frame, length), "");
        }
        assertDamaged(Arrays.copyOf(frame, frame.length + 1), "bytes");
        assertDamaged(Arrays.copyOf(frame, frame.length * 2), "bytes");
    }

    @Test
    void everyFlippedBitIsRefused() {
        for (int bit = 0; bit < frame.length * 8; bit++) {
            byte[] flipped = frame.clone();
            flipped[bit / 8] ^= (byte) (1 << (bit % 8));
            assertDamaged(flipped, "");
        }
    }

    @Test
    void garbageIsRefused() {
        long seed = 42;
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            byte[] garbage = new byte[random.nextInt(200)];
            random.nextBytes(garbage);
            assertDamaged(garbage, "");
            // Garbage behind a right header, with a right checksum.
            assertDamagedOrSane(framed(1, garbage));
        }
    }

    /** Random content may parse as a message, but not as a record of ours. */
    private static void assertDamagedOrSane(byte[] frame) {
        assertThatThrownBy(() -> RecordCodec.decode(NAME, frame, OURS))
                .isInstanceOf(RecordDamaged.class);
    }

    private static byte[] framed(int version, byte[] payload) {
        ByteBuffer framed = ByteBuffer.allocate(20 + payload.length);
        framed.put(new byte[] {'T', 'i', 'd', 'e', 'R', 'e', 'c', '\n'});
        framed.putInt(version).putInt(payload.length).position(20).put(payload);
        CRC32C crc = new CRC32C();
        crc.update(framed.array(), 0, 16);
        crc.update(framed.array(), 20, payload.length);
        return framed.putInt(16, (int) crc.getValue()).array();
    }

    @Test
    void otherVersionsClustersAndRegionsAreRefused() {
        assertDamaged(framed(2, record.toByteArray()), "version is 2");
        assertDamaged(framed(0, record.toByteArray()), "version is 0");
        assertDamaged(
                framed(1, record.toBuilder().setFormatVersion(9).build().toByteArray()),
                "version is 9");
        assertDamaged(RecordCodec.encode(TestRecords.record(4).build()), "region 4");
        assertDamaged(
                RecordCodec.encode(TestRecords.record(3).setClusterId(8).build()), "cluster 8");
    }

    @Test
    void refusesToWriteWhatItWouldNotRead() {
        assertThatThrownBy(() -> RecordCodec.encode(TestRecords.record(0).build()))
                .isInstanceOf(InvariantViolation.class);
    }

    @Test
    void setsTheVersion() {
        byte[] encoded = RecordCodec.encode(record.toBuilder().clearFormatVersion().build());
        assertThat(RecordCodec.decode(NAME, encoded)).isEqualTo(record);
    }
}
