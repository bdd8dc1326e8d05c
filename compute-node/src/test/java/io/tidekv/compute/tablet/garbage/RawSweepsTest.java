package io.tidekv.compute.tablet.garbage;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.raw.RawKeys;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.raw.RawValues.RawValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RawSweepsTest {
    private static final int NOW = 1000;
    private static final int LAST_TS = 60;

    /** What API V2 stores for a deleted key. */
    private static final byte[] DELETED = {2};

    private final RawKeys keys = new RawKeys(ApiMode.V2);
    private final RawValues values = new RawValues(ApiMode.V2);
    private final TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);

    private static ByteString key(int number) {
        return ByteString.copyFromUtf8("r000key" + number);
    }

    /** The newest version, at some time. */
    private String read(int number, long nowSeconds) {
        Map.Entry<byte[], byte[]> row = rows.ceilingEntry(keys.at(key(number), Ts.MAX));
        byte[] end = keys.at(key(number), 0);
        if (row == null || Arrays.compareUnsigned(row.getKey(), end) > 0) {
            return "none";
        }
        RawValue value = values.decode(row.getValue(), nowSeconds);
        return value == null ? "none" : value.bytes().toStringUtf8();
    }

    private List<String> answers(int count) {
        List<String> answers = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            answers.add(read(number, NOW));
            answers.add(read(number, NOW + 50));
        }
        return answers;
    }

    /** All of it is in one column family. */
    private Map<byte[], byte[]> rows(Cf cf) {
        assertThat(cf).isEqualTo(Cf.DEFAULT);
        return rows;
    }

    private byte[] value(Random random, long ts) {
        if (random.nextInt(4) == 0) {
            return DELETED.clone();
        }
        long ttl = random.nextInt(3) == 0 ? 1 + random.nextInt(100) : 0;
        return values.encode(ByteString.copyFromUtf8("v" + ts), ttl, NOW - 50);
    }

    /** After each batch, for a process may end after any. */
    @Test
    void noReaderSeesThatOldVersionsHaveGone() {
        long seed = new Random(System.identityHashCode(this)).nextLong();
        System.out.println("raw sweep seed " + seed);
        Random random = new Random(seed);
        long dropped = 0;
        for (int round = 0; round < 300; round++) {
            rows.clear();
            int count = 1 + random.nextInt(4);
            for (int i = random.nextInt(40); i > 0; i--) {
                long ts = 1 + random.nextInt(LAST_TS);
                rows.put(keys.at(key(random.nextInt(count)), ts), value(random, ts));
            }
            long upTo = random.nextInt(LAST_TS + 5);
            List<String> before = answers(count);
            RawVersionSweep sweep = new RawVersionSweep(upTo, NOW, NOW + 3600);
            for (Deletions batch : Swept.over(sweep, rows, random.nextInt(60))) {
                Swept.apply(batch, this::rows);
                assertThat(answers(count)).isEqualTo(before);
            }
            dropped += sweep.dropped();
            RawVersionSweep again = new RawVersionSweep(upTo, NOW, NOW + 3600);
            Swept.over(again, rows, 1000);
            assertThat(again.dropped()).isZero();
        }
        assertThat(dropped).isPositive();
    }

    @Test
    void ofOldVersionsOnlyTheNewestLivingOneStays() {
        for (long ts = 10; ts <= 50; ts += 10) {
            rows.put(keys.at(key(1), ts), values.encode(ByteString.copyFromUtf8("v"), 0, NOW));
        }
        rows.put(keys.at(key(2), 10), values.encode(ByteString.copyFromUtf8("v"), 0, NOW));
        rows.put(keys.at(key(2), 20), DELETED.clone());
        rows.put(keys.at(key(3), 10), values.encode(ByteString.copyFromUtf8("v"), 5, NOW - 5));
        rows.put(keys.at(key(4), 10), values.encode(ByteString.copyFromUtf8("v"), 6, NOW - 5));
        RawVersionSweep sweep = new RawVersionSweep(35, NOW, NOW + 3600);
        Swept.over(sweep, rows, 100_000).forEach(batch -> Swept.apply(batch, this::rows));
        assertThat(sweep.dropped()).isEqualTo(2 + 2 + 1);
        assertThat(rows).hasSize(3 + 1);
        // The value of the fourth key ends after a second.
        assertThat(sweep.endsAtSeconds()).isBetween(NOW + 1L, NOW + 2L);
    }

    @Test
    void whatEndsByTimeSaysWhenToComeBack() {
        RawValues expiring = new RawValues(ApiMode.V1TTL);
        ByteString value = ByteString.copyFromUtf8("v");
        ExpirySweep sweep = new ExpirySweep(Cf.DEFAULT, NOW);
        Deletions deletions = new Deletions();
        byte[] ended = expiring.encode(value, 10, NOW - 10);
        sweep.row(new byte[] {1}, ended, deletions);
        sweep.row(new byte[] {2}, expiring.encode(value, 0, NOW), deletions);
        assertThat(sweep.endsAtSeconds()).isEqualTo(Long.MAX_VALUE);
        sweep.row(new byte[] {3}, expiring.encode(value, 3, NOW), deletions);
        for (int key = 4; key < 11; key++) {
            sweep.row(new byte[] {(byte) key}, expiring.encode(value, 1 << 20, NOW), deletions);
        }
        assertThat(sweep.endsAtSeconds()).isBetween(NOW + 3L, NOW + 4L);
        sweep.row(new byte[] {11}, expiring.encode(value, 1 << 20, NOW), deletions);
        // One in nine is not worth a pass.
        assertThat(sweep.endsAtSeconds()).isBetween(NOW + (1L << 20), NOW + (1L << 21));
        assertThat(deletions.always().isEmpty()).isTrue();
        assertThat(deletions.ifSame()).hasSize(1);
        assertThat(deletions.ifSame().get(0).value()).isEqualTo(ended);
        assertThat(sweep.dropped()).isOne();
    }
}
