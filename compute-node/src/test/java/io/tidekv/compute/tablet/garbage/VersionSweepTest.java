package io.tidekv.compute.tablet.garbage;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class VersionSweepTest {
    private static final int LAST_TS = 60;

    private final Map<Cf, TreeMap<byte[], byte[]>> rows = new EnumMap<>(Cf.class);

    private void reset() {
        for (Cf cf : Cf.values()) {
            rows.put(cf, new TreeMap<>(Arrays::compareUnsigned));
        }
    }

    private static byte[] key(int number) {
        return ("key" + number).getBytes(StandardCharsets.US_ASCII);
    }

    private void version(byte[] key, long ts, WriteKind kind, boolean large) {
        long start = ts - 1;
        ByteString value = ByteString.copyFromUtf8("v" + ts);
        boolean shortValue = kind == WriteKind.PUT && !large;
        WriteRecord write = WriteRecord.of(kind, start, shortValue ? value : null);
        rows.get(Cf.WRITE).put(Ints.withDesc(key, ts), WriteCodec.encode(write));
        if (kind == WriteKind.PUT && large) {
            rows.get(Cf.DEFAULT).put(Ints.withDesc(key, start), value.toByteArray());
        }
    }

    /** What a reader gets; fails when a value is gone that a commit record promises. */
    private String read(byte[] key, long ts) {
        byte[] from = Ints.withDesc(key, ts);
        for (Map.Entry<byte[], byte[]> row : rows.get(Cf.WRITE).tailMap(from).entrySet()) {
            byte[] stored = row.getKey();
            if (!Arrays.equals(stored, 0, stored.length - 8, key, 0, key.length)) {
                break;
            }
            WriteRecord write = WriteCodec.decode(row.getValue());
            if (write.kind() == WriteKind.DELETE) {
                return "none";
            }
            if (write.kind() == WriteKind.PUT) {
                if (write.shortValue() != null) {
                    return write.shortValue().toStringUtf8();
                }
                byte[] value = rows.get(Cf.DEFAULT).get(Ints.withDesc(key, write.startTs()));
                assertThat(value).isNotNull();
                return new String(value, StandardCharsets.US_ASCII);
            }
        }
        return "none";
    }

    private List<String> answers(int keys, long from) {
        List<String> answers = new ArrayList<>();
        for (int key = 0; key < keys; key++) {
            for (long ts = from; ts <= LAST_TS + 1; ts++) {
                answers.add(read(key(key), ts));
            }
        }
        return answers;
    }

    /** After each batch, for a process may end after any. */
    @Test
    void noReaderAtOrAboveTheSafePointSeesADifference() {
        long seed = new Random(System.identityHashCode(this)).nextLong();
        System.out.println("sweep seed " + seed);
        Random random = new Random(seed);
        long dropped = 0;
        for (int round = 0; round < 300; round++) {
            reset();
            int keys = 1 + random.nextInt(4);
            for (int i = random.nextInt(40); i > 0; i--) {
                WriteKind[] kinds = WriteKind.values();
                WriteKind kind = kinds[random.nextInt(kinds.length)];
                byte[] key = key(random.nextInt(keys));
                version(key, 2 + random.nextInt(LAST_TS - 1), kind, random.nextBoolean());
            }
            rows.get(Cf.DEFAULT).clear();
            rows.get(Cf.WRITE).forEach(this::restoreDefault);
            long safePoint = random.nextInt(LAST_TS + 5);
            List<String> before = answers(keys, safePoint);
            VersionSweep sweep = new VersionSweep(safePoint);
            for (Deletions batch : Swept.over(sweep, rows.get(Cf.WRITE), random.nextInt(100))) {
                Swept.apply(batch, rows::get);
                assertThat(answers(keys, safePoint)).isEqualTo(before);
            }
            dropped += sweep.dropped();
            VersionSweep again = new VersionSweep(safePoint);
            Swept.over(again, rows.get(Cf.WRITE), 1000);
            assertThat(again.dropped()).isZero();
        }
        assertThat(dropped).isPositive();
    }

    /** Versions may have been overwritten while they were drawn. */
    private void restoreDefault(byte[] stored, byte[] record) {
        WriteRecord write = WriteCodec.decode(record);
        if (write.kind() == WriteKind.PUT && write.shortValue() == null) {
            byte[] key = Arrays.copyOf(stored, stored.length - 8);
            byte[] value = ("v" + Ints.lastDesc(stored)).getBytes(StandardCharsets.US_ASCII);
            rows.get(Cf.DEFAULT).put(Ints.withDesc(key, write.startTs()), value);
        }
    }

    @Test
    void onlyTheNewestValueBelowTheSafePointStays() {
        reset();
        for (long ts = 10; ts <= 50; ts += 10) {
            version(key(1), ts, WriteKind.PUT, true);
        }
        version(key(2), 10, WriteKind.PUT, false);
        version(key(2), 20, WriteKind.DELETE, false);
        version(key(3), 10, WriteKind.PUT, false);
        version(key(3), 15, WriteKind.ROLLBACK, false);
        version(key(3), 16, WriteKind.LOCK, false);
        VersionSweep sweep = new VersionSweep(35);
        Swept.over(sweep, rows.get(Cf.WRITE), 100_000)
                .forEach(batch -> Swept.apply(batch, rows::get));
        assertThat(sweep.dropped()).isEqualTo(2 + 2 + 2);
        assertThat(rows.get(Cf.WRITE)).hasSize(3 + 1);
        assertThat(rows.get(Cf.DEFAULT)).hasSize(3);
        assertThat(sweep.later()).isEqualTo(2);
    }
}
