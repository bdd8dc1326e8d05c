package io.tidekv.compute.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.CodecException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MemoryEngineTest {
    private static final byte[] NONE = new byte[0];
    private final MemoryEngine engine = new MemoryEngine();

    @Test
    void aSnapshotKeepsWhatItSaw() {
        put("a", "1");
        try (KvSnapshot before = engine.snapshot(NONE, NONE)) {
            put("a", "2");
            engine.apply(new WriteBatchBuilder().delete(Cf.DEFAULT, bytes("a")).build());
            assertThat(before.get(Cf.DEFAULT, bytes("a"))).isEqualTo(bytes("1"));
            try (KvSnapshot after = engine.snapshot(NONE, NONE)) {
                assertThat(after.get(Cf.DEFAULT, bytes("a"))).isNull();
            }
        }
    }

    @Test
    void aBatchIsSeenWholeAndInOrder() {
        engine.apply(
                new WriteBatchBuilder()
                        .put(Cf.LOCK, bytes("a"), bytes("lock"))
                        .put(Cf.DEFAULT, bytes("a"), bytes("1"))
                        .put(Cf.DEFAULT, bytes("b"), bytes("2"))
                        .deleteRange(Cf.DEFAULT, bytes("a"), bytes("b"))
                        .put(Cf.DEFAULT, bytes("a"), bytes("3"))
                        .build());
        try (KvSnapshot view = engine.snapshot(NONE, NONE)) {
            assertThat(view.get(Cf.DEFAULT, bytes("a"))).isEqualTo(bytes("3"));
            assertThat(view.get(Cf.DEFAULT, bytes("b"))).isEqualTo(bytes("2"));
            assertThat(view.get(Cf.LOCK, bytes("a"))).isEqualTo(bytes("lock"));
            assertThat(view.get(Cf.WRITE, bytes("a"))).isNull();
        }
    }

    @Test
    void bothBoundsHideWhatLiesOutside() {
        for (String key : List.of("a", "b", "c", "d")) {
            put(key, key);
        }
        try (KvSnapshot view = engine.snapshot(bytes("b"), bytes("d"))) {
            assertThat(view.get(Cf.DEFAULT, bytes("a"))).isNull();
            assertThat(view.get(Cf.DEFAULT, bytes("d"))).isNull();
            assertThat(walk(view, null, null, false)).containsExactly("b", "c");
            assertThat(walk(view, bytes("a"), bytes("z"), true)).containsExactly("c", "b");
            assertThat(walk(view, bytes("c"), bytes("c"), false)).isEmpty();
        }
    }

    @Test
    void agreesWithASortedMap() {
        long seed = 99;
        Random random = new Random(seed);
        TreeMap<String, String> model = new TreeMap<>();
        for (int step = 0; step < 3_000; step++) {
            String key = "k" + random.nextInt(40);
            if (random.nextInt(10) == 0) {
                String to = "k" + random.nextInt(40);
                WriteBatchBuilder batch = new WriteBatchBuilder();
                engine.apply(batch.deleteRange(Cf.DEFAULT, bytes(key), bytes(to)).build());
                if (key.compareTo(to) < 0) {
                    model.subMap(key, to).clear();
                }
            } else if (random.nextInt(3) == 0) {
                engine.apply(new WriteBatchBuilder().delete(Cf.DEFAULT, bytes(key)).build());
                model.remove(key);
            } else {
                put(key, "v" + step);
                model.put(key, "v" + step);
            }
            try (KvSnapshot view = engine.snapshot(NONE, NONE)) {
                String at = "k" + random.nextInt(40);
                try (KvIterator iterator = view.iterator(Cf.DEFAULT, null, null)) {
                    iterator.seek(bytes(at));
                    assertThat(keyOf(iterator)).as("seed %d", seed).isEqualTo(model.ceilingKey(at));
                    iterator.seekForPrev(bytes(at));
                    assertThat(keyOf(iterator)).as("seed %d", seed).isEqualTo(model.floorKey(at));
                }
            }
        }
    }

    @Test
    void damagedBatchesAreRefused() {
        ByteString good =
                new WriteBatchBuilder()
                        .put(Cf.WRITE, bytes("key"), bytes("value"))
                        .delete(Cf.DEFAULT, bytes("x"))
                        .build();
        Random random = new Random(5);
        for (int i = 0; i < 10_000; i++) {
            byte[] bad = good.toByteArray();
            bad[8 + random.nextInt(bad.length - 8)] = (byte) random.nextInt(256);
            byte[] cut = Arrays.copyOf(bad, random.nextInt(bad.length + 1));
            try {
                new MemoryEngine().apply(ByteString.copyFrom(cut));
            } catch (CodecException e) {
                assertThat(e.getMessage()).contains("write batch");
            }
        }
        assertThatThrownBy(() -> engine.apply(good.concat(ByteString.copyFromUtf8("?"))))
                .isInstanceOf(CodecException.class);
    }

    private static String keyOf(KvIterator iterator) {
        return iterator.isValid() ? new String(iterator.key(), StandardCharsets.UTF_8) : null;
    }

    private static List<String> walk(KvSnapshot view, byte[] lower, byte[] upper, boolean down) {
        List<String> keys = new ArrayList<>();
        try (KvIterator iterator = view.iterator(Cf.DEFAULT, lower, upper)) {
            if (down) {
                iterator.seekToLast();
            } else {
                iterator.seekToFirst();
            }
            while (iterator.isValid()) {
                keys.add(keyOf(iterator));
                if (down) {
                    iterator.prev();
                } else {
                    iterator.next();
                }
            }
        }
        return keys;
    }

    private void put(String key, String value) {
        engine.apply(new WriteBatchBuilder().put(Cf.DEFAULT, bytes(key), bytes(value)).build());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
