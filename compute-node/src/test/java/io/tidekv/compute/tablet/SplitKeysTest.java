package io.tidekv.compute.tablet;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class SplitKeysTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int V1 = 1;
    private static final int V1_TTL = 2;

    private final MemoryTabletStore store =
            new MemoryTabletStore(1, 1, new MemoryObjectStore(), Randomness.seeded(1));
    private final Tablet tablet = store.open(null, WHOLE);

    private void put(Cf cf, byte[] key, int valueBytes) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(tablet.applied().index() + 1)
                        .setTerm(1)
                        .setKind(EntryKind.WRITE)
                        .setData(new WriteBatchBuilder().put(cf, key, new byte[valueBytes]).build())
                        .build();
        tablet.apply(List.of(entry));
    }

    private static byte[] text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values).getBytes(StandardCharsets.US_ASCII);
    }

    private double shareBelow(byte[] border) {
        long below = tablet.approximateBytes(new byte[0], border);
        return (double) below / tablet.approximateBytes(new byte[0], new byte[0]);
    }

    @Test
    void emptyAndSingleRowHaveNoMiddle() {
        assertThat(SplitKeys.middle(tablet, WHOLE, V1)).isNull();
        put(Cf.DEFAULT, text("a"), 100);
        assertThat(SplitKeys.middle(tablet, WHOLE, V1)).isNull();
    }

    @Test
    void rawBorderIsAnEncodedKeyWhereTheDataAllowIt() {
        for (int i = 0; i < 1000; i++) {
            put(Cf.DEFAULT, text("%04d", i), 50);
        }
        for (int mode : new int[] {V1, V1_TTL}) {
            byte[] middle = SplitKeys.middle(tablet, WHOLE, mode);
            assertThat(Memcomparable.isEncoded(middle)).isTrue();
            assertThat(shareBelow(middle)).isBetween(0.45, 0.55);
        }
    }

    @Test
    void rawBorderIsAStoredKeyWhereNoEncodedKeyIsFair() {
        for (int i = 0; i < 1000; i++) {
            put(Cf.DEFAULT, text("same-prefix-%04d", i), 50);
        }
        for (int mode : new int[] {V1, V1_TTL}) {
            byte[] middle = SplitKeys.middle(tablet, WHOLE, mode);
            assertThat(new String(middle, StandardCharsets.US_ASCII)).isEqualTo("same-prefix-0500");
        }
    }

    @Test
    void versionsOfAKeyStayTogether() {
        for (int i = 0; i < 300; i++) {
            for (long ts = 1; ts <= 1 + i % 5; ts++) {
                byte[] raw = text("user-key-%05d", i);
                put(Cf.WRITE, Memcomparable.encodeWithDesc(raw, ts), 20);
                put(Cf.DEFAULT, Memcomparable.encodeWithDesc(raw, ts), 300);
            }
        }
        byte[] middle = SplitKeys.middle(tablet, WHOLE, V1);
        assertThat(Memcomparable.isEncoded(middle)).isTrue();
        assertThat(new String(Memcomparable.decode(middle), StandardCharsets.US_ASCII))
                .startsWith("user-key-001");
        assertThat(shareBelow(middle)).isBetween(0.4, 0.6);
    }

    @Test
    void largeRegionsAreBisected() {
        for (int i = 0; i < 400; i++) {
            put(Cf.DEFAULT, text("same-prefix-%04d", i), i < 200 ? 3_000 : 9_000);
        }
        byte[] middle = SplitKeys.middle(tablet, WHOLE, V1_TTL);
        assertThat(shareBelow(middle)).isBetween(0.47, 0.53);
        RegionShape right =
                WHOLE.toBuilder().setStartKey(ByteString.copyFrom(middle)).setRegionId(8).build();
        byte[] next = SplitKeys.middle(tablet, right, V1_TTL);
        assertThat(shareBelow(next)).isBetween(0.7, 0.8);
    }

    @Test
    void oneHugeRowCannotBeDivided() {
        put(Cf.DEFAULT, text("a"), 10);
        put(Cf.DEFAULT, text("b"), 100_000);
        put(Cf.DEFAULT, text("c"), 10);
        assertThat(SplitKeys.middle(tablet, WHOLE, V1)).isNull();
    }
}
