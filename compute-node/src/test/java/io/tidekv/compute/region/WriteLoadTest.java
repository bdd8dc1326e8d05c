package io.tidekv.compute.region;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class WriteLoadTest {
    private static final long SECOND = 1_000_000_000L;
    private static final RegionShape WHOLE = RegionShape.getDefaultInstance();

    private final WriteLoad load = new WriteLoad(1000, 0);

    /** Runs for some seconds; true when the load is too high at the end. */
    private boolean run(int seconds, int perSecond, IntFunction<byte[]> keys) {
        boolean high = false;
        for (int second = 1; second <= seconds; second++) {
            for (int i = 0; i < perSecond; i++) {
                WriteBatchBuilder batch =
                        new WriteBatchBuilder().put(Cf.WRITE, keys.apply(i * 7919), new byte[3]);
                load.written(
                        List.of(
                                Entry.newBuilder()
                                        .setKind(EntryKind.WRITE)
                                        .setData(batch.build())
                                        .build()));
            }
            high = load.isTooHigh(now += SECOND);
        }
        return high;
    }

    private long now;

    private static byte[] text(String key) {
        return key.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] row(int i) {
        return Memcomparable.encodeWithDesc(text("row" + (100 + i % 100)), 5);
    }

    @Test
    void aBusyRegionIsDividedInTheMiddleOfItsWrites() {
        assertThat(run(9, 1500, WriteLoadTest::row)).as("not long enough").isFalse();
        assertThat(run(1, 1500, WriteLoadTest::row)).isTrue();
        ByteString key = load.takeKey(WHOLE);
        assertThat(key).isNotNull();
        assertThat(Memcomparable.isEncoded(key.toByteArray())).as("without timestamp").isTrue();
        assertThat(new String(Memcomparable.decode(key.toByteArray()), StandardCharsets.UTF_8))
                .isBetween("row125", "row175");
        assertThat(run(9, 1500, WriteLoadTest::row)).as("it starts over").isFalse();
    }

    @Test
    void rawKeysAreDividedWhereClientsCanDecodeTheBorder() {
        run(10, 1500, i -> text("u" + (100 + i % 100) + "/profile"));
        ByteString key = load.takeKey(WHOLE);
        assertThat(key).isNotNull();
        assertThat(Memcomparable.isEncoded(key.toByteArray())).isTrue();
    }

    @Test
    void oneHotKeyIsNotDivided() {
        assertThat(run(10, 1500, i -> row(7))).isTrue();
        assertThat(load.takeKey(WHOLE)).isNull();
    }

    @Test
    void aPauseStartsOver() {
        run(9, 1500, WriteLoadTest::row);
        run(1, 10, WriteLoadTest::row);
        assertThat(run(9, 1500, WriteLoadTest::row)).isFalse();
    }

    @Test
    void theBorderLiesInsideTheRegion() {
        run(10, 1500, WriteLoadTest::row);
        RegionShape elsewhere =
                RegionShape.newBuilder().setStartKey(ByteString.copyFromUtf8("x")).build();
        assertThat(load.takeKey(elsewhere)).isNull();
    }
}
