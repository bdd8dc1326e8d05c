package io.tidekv.compute.region;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.MemoryEngine;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchBytesTest {
    private static final RegionShape SHAPE =
            RegionShape.newBuilder()
                    .setStartKey(ByteString.copyFromUtf8("b"))
                    .setEndKey(ByteString.copyFromUtf8("m"))
                    .build();

    @Test
    void joinedBatchesDoWhatTheyDidInOrder() {
        ByteString first = new WriteBatchBuilder().put(Cf.DEFAULT, k("c"), k("1")).build();
        ByteString second =
                new WriteBatchBuilder()
                        .put(Cf.LOCK, k("d"), new byte[300])
                        .put(Cf.DEFAULT, k("c"), k("2"))
                        .build();
        ByteString third = new WriteBatchBuilder().delete(Cf.LOCK, k("d")).build();
        MemoryEngine engine = new MemoryEngine();
        engine.apply(BatchBytes.join(List.of(first, second, third)));
        try (KvSnapshot snapshot = engine.snapshot(new byte[0], new byte[0])) {
            assertThat(snapshot.get(Cf.DEFAULT, k("c"))).isEqualTo(k("2"));
            assertThat(snapshot.get(Cf.LOCK, k("d"))).isNull();
        }
        assertThat(BatchBytes.join(List.of(first))).isSameAs(first);
    }

    @Test
    void everyKeyIsCheckedAgainstTheRange() {
        assertThat(outside(new WriteBatchBuilder().put(Cf.DEFAULT, k("b"), k("x")))).isNull();
        assertThat(outside(new WriteBatchBuilder().delete(Cf.WRITE, k("lzz")))).isNull();
        assertThat(outside(new WriteBatchBuilder().deleteRange(Cf.DEFAULT, k("b"), k("m"))))
                .isNull();
        assertThat(
                        outside(
                                new WriteBatchBuilder()
                                        .put(Cf.DEFAULT, k("c"), new byte[1000])
                                        .delete(Cf.LOCK, k("m"))))
                .isEqualTo("m");
        assertThat(outside(new WriteBatchBuilder().put(Cf.WRITE, k("a"), k("")))).isEqualTo("a");
        assertThat(outside(new WriteBatchBuilder().deleteRange(Cf.DEFAULT, k("c"), k("n"))))
                .isEqualTo("n");
        assertThat(outside(new WriteBatchBuilder().deleteRange(Cf.LOCK, k("a"), k("c"))))
                .isEqualTo("a");
    }

    @Test
    void whatConcernsARegionIsCutOut() {
        ByteString whole =
                new WriteBatchBuilder()
                        .put(Cf.DEFAULT, k("a"), k("1"))
                        .put(Cf.LOCK, k("c"), new byte[300])
                        .delete(Cf.WRITE, k("lzz"))
                        .delete(Cf.WRITE, k("m"))
                        .deleteRange(Cf.DEFAULT, k("a"), k("d"))
                        .deleteRange(Cf.LOCK, k("k"), new byte[200])
                        .deleteRange(Cf.LOCK, k("x"), k("y"))
                        .put(Cf.DEFAULT, k("z"), k("2"))
                        .build();
        ByteString part =
                new WriteBatchBuilder()
                        .put(Cf.LOCK, k("c"), new byte[300])
                        .delete(Cf.WRITE, k("lzz"))
                        .deleteRange(Cf.DEFAULT, k("b"), k("d"))
                        .build();
        assertThat(BatchBytes.within(whole, SHAPE)).isEqualTo(part);
        ByteString wide =
                new WriteBatchBuilder()
                        .deleteRange(Cf.WRITE, k("a"), "z".repeat(200).getBytes(US_ASCII))
                        .build();
        assertThat(BatchBytes.within(wide, SHAPE))
                .isEqualTo(new WriteBatchBuilder().deleteRange(Cf.WRITE, k("b"), k("m")).build());
        RegionShape all = RegionShape.getDefaultInstance();
        assertThat(BatchBytes.within(wide, all)).isEqualTo(wide);
        ByteString elsewhere = new WriteBatchBuilder().put(Cf.LOCK, k("n"), k("")).build();
        assertThat(BatchBytes.within(elsewhere, SHAPE)).isNull();
    }

    private static String outside(WriteBatchBuilder batch) {
        ByteString key = BatchBytes.keyOutside(batch.build(), SHAPE);
        return key == null ? null : key.toStringUtf8();
    }

    private static byte[] k(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
