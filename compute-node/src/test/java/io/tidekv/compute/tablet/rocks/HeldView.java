package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.tablet.TabletModel;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A snapshot and what it must answer for as long as it lives. */
final class HeldView implements AutoCloseable {
    private final int store;
    private final KvSnapshot snapshot;
    private final Map<Cf, TreeMap<byte[], byte[]>> rows;
    private final Random random;

    HeldView(int store, KvSnapshot snapshot, Map<Cf, TreeMap<byte[], byte[]>> rows, long seed) {
        this.store = store;
        this.snapshot = snapshot;
        this.rows = rows;
        this.random = new Random(seed);
    }

    int store() {
        return store;
    }

    private byte[] key() {
        return TabletModel.key(random.nextInt(TabletLife.KEYS));
    }

    /** Point reads and a walk that turns round as it likes. */
    void verify(int steps) {
        Cf cf = Cf.values()[random.nextInt(3)];
        TreeMap<byte[], byte[]> want = rows.get(cf);
        for (int i = 0; i < steps / 2; i++) {
            byte[] key = key();
            assertThat(snapshot.get(cf, key)).isEqualTo(want.get(key));
        }
        byte[] lower = random.nextBoolean() ? null : key();
        byte[] upper = random.nextBoolean() ? null : key();
        TreeMap<byte[], byte[]> bounded = bounded(want, lower, upper);
        try (KvIterator at = snapshot.iterator(cf, lower, upper)) {
            Map.@Nullable Entry<byte[], byte[]> row = null;
            for (int i = 0; i < steps; i++) {
                row = step(at, bounded, row);
                assertThat(at.isValid()).isEqualTo(row != null);
                if (row != null) {
                    assertThat(at.key()).isEqualTo(row.getKey());
                    assertThat(at.value()).isEqualTo(row.getValue());
                }
            }
        }
    }

    private Map.@Nullable Entry<byte[], byte[]> step(
            KvIterator at, TreeMap<byte[], byte[]> want, Map.@Nullable Entry<byte[], byte[]> row) {
        int what = random.nextInt(row == null ? 4 : 24);
        byte[] key = key();
        if (what == 0) {
            at.seek(key);
            return want.ceilingEntry(key);
        } else if (what == 1) {
            at.seekForPrev(key);
            return want.floorEntry(key);
        } else if (what == 2) {
            at.seekToFirst();
            return want.firstEntry();
        } else if (what == 3) {
            at.seekToLast();
            return want.lastEntry();
        } else if (what < 16) {
            at.next();
            return want.higherEntry(row.getKey());
        }
        at.prev();
        return want.lowerEntry(row.getKey());
    }

    private static TreeMap<byte[], byte[]> bounded(
            TreeMap<byte[], byte[]> rows, byte @Nullable [] lower, byte @Nullable [] upper) {
        TreeMap<byte[], byte[]> bounded = new TreeMap<>(rows);
        if (lower != null) {
            bounded.headMap(lower, false).clear();
        }
        if (upper != null) {
            bounded.tailMap(upper, true).clear();
        }
        return bounded;
    }

    /** Every row, in both directions. */
    void verifyAll() {
        for (Cf cf : Cf.values()) {
            try (KvIterator at = snapshot.iterator(cf, null, null)) {
                at.seekToFirst();
                for (Map.Entry<byte[], byte[]> row : rows.get(cf).entrySet()) {
                    assertThat(at.isValid()).isTrue();
                    assertThat(at.key()).isEqualTo(row.getKey());
                    assertThat(at.value()).isEqualTo(row.getValue());
                    at.next();
                }
                assertThat(at.isValid()).isFalse();
                at.seekToLast();
                for (byte[] key : rows.get(cf).descendingKeySet()) {
                    assertThat(at.isValid()).isTrue();
                    assertThat(at.key()).isEqualTo(key);
                    at.prev();
                }
                assertThat(at.isValid()).isFalse();
            }
        }
    }

    @Override
    public void close() {
        snapshot.close();
    }
}
