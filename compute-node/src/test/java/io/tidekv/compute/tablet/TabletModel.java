package io.tidekv.compute.tablet;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.engine.WriteBatchReader;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** What a tablet should hold, its log, and random batches over a small key space. */
public final class TabletModel {
    public static final long TERM = 3;
    public final Map<Cf, TreeMap<byte[], byte[]>> families = new EnumMap<>(Cf.class);
    public final List<Entry> log = new ArrayList<>();
    private final Random random;
    private final int keys;

    public TabletModel(long seed, int keys) {
        this.random = new Random(seed);
        this.keys = keys;
        for (Cf cf : Cf.values()) {
            families.put(cf, new TreeMap<>(Arrays::compareUnsigned));
        }
    }

    public static byte[] key(int number) {
        return String.format(Locale.ROOT, "k%08d", number).getBytes(StandardCharsets.US_ASCII);
    }

    public static RegionShape shape(long regionId, String start, String end) {
        return RegionShape.newBuilder()
                .setRegionId(regionId)
                .setStartKey(ByteString.copyFromUtf8(start))
                .setEndKey(ByteString.copyFromUtf8(end))
                .setVersion(1)
                .setConfVer(1)
                .setPeerId(regionId + 1000)
                .build();
    }

    public long lastIndex() {
        return log.size();
    }

    /** The next log entry, applied to the model. */
    public Entry next() {
        WriteBatchBuilder batch = new WriteBatchBuilder();
        int operations = 1 + random.nextInt(8);
        for (int i = 0; i < operations; i++) {
            Cf cf = Cf.values()[random.nextInt(3)];
            byte[] key = key(random.nextInt(keys));
            int kind = random.nextInt(20);
            if (kind == 0) {
                int from = random.nextInt(keys);
                byte[] start = key(from);
                byte[] end = key(from + 1 + random.nextInt(keys / 50));
                batch.deleteRange(cf, start, end);
                families.get(cf).subMap(start, end).clear();
            } else if (kind < 5) {
                batch.delete(cf, key);
                families.get(cf).remove(key);
            } else {
                byte[] value = value();
                batch.put(cf, key, value);
                families.get(cf).put(key, value);
            }
        }
        return add(EntryKind.WRITE, batch.build());
    }

    /** A write of one key. */
    public Entry put(Cf cf, int number, int valueLength) {
        byte[] value = new byte[valueLength];
        random.nextBytes(value);
        families.get(cf).put(key(number), value);
        return add(EntryKind.WRITE, new WriteBatchBuilder().put(cf, key(number), value).build());
    }

    public Entry noop() {
        return add(EntryKind.NOOP, ByteString.EMPTY);
    }

    /** What the log's first entries make of an empty tablet. */
    public TabletModel asOf(long index) {
        TabletModel then = new TabletModel(index, keys);
        for (Entry entry : log.subList(0, (int) index)) {
            then.replay(entry);
        }
        return then;
    }

    private void replay(Entry entry) {
        log.add(entry);
        if (entry.getKind() != EntryKind.WRITE) {
            return;
        }
        WriteBatchReader.read(
                entry.getData(),
                new WriteBatchReader.Handler() {
                    @Override
                    public void put(Cf cf, byte[] key, byte[] value) {
                        families.get(cf).put(key, value);
                    }

                    @Override
                    public void delete(Cf cf, byte[] key) {
                        families.get(cf).remove(key);
                    }

                    @Override
                    public void deleteRange(Cf cf, byte[] from, byte[] to) {
                        families.get(cf).subMap(from, to).clear();
                    }
                });
    }

    /** A child's model: its content is the parent's, its log its own. */
    public TabletModel child(long seed) {
        TabletModel child = new TabletModel(seed, keys);
        families.forEach((cf, rows) -> child.families.get(cf).putAll(rows));
        return child;
    }

    /** Counts an entry that changes no data. */
    public AppliedMark mark() {
        Entry entry = noop();
        return new AppliedMark(entry.getIndex(), entry.getTerm());
    }

    private Entry add(EntryKind kind, ByteString data) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(log.size() + 1)
                        .setTerm(TERM)
                        .setKind(kind)
                        .setData(data)
                        .build();
        log.add(entry);
        return entry;
    }

    private byte[] value() {
        byte[] value = new byte[8 + random.nextInt(120)];
        random.nextBytes(value);
        ByteBuffer.wrap(value).putLong(log.size());
        return value;
    }

    /** Entries after the tablet's last one. */
    public List<Entry> tail(Tablet tablet) {
        return log.subList((int) tablet.applied().index(), log.size());
    }

    public void verify(Tablet tablet, RegionShape shape) {
        byte[] from = shape.getStartKey().toByteArray();
        byte[] to = shape.getEndKey().toByteArray();
        try (KvSnapshot snapshot = tablet.snapshot(shape)) {
            for (Cf cf : Cf.values()) {
                TreeMap<byte[], byte[]> want = new TreeMap<>(families.get(cf).tailMap(from));
                if (to.length > 0) {
                    want = new TreeMap<>(want.headMap(to));
                }
                walk(snapshot, cf, want);
                for (int i = 0; i < 50; i++) {
                    byte[] key = key(random.nextInt(keys));
                    assertThat(snapshot.get(cf, key)).isEqualTo(want.get(key));
                }
            }
        }
    }

    private static void walk(KvSnapshot snapshot, Cf cf, TreeMap<byte[], byte[]> want) {
        try (KvIterator iterator = snapshot.iterator(cf, null, null)) {
            iterator.seekToFirst();
            for (Map.Entry<byte[], byte[]> row : want.entrySet()) {
                assertThat(iterator.isValid()).isTrue();
                assertThat(iterator.key()).isEqualTo(row.getKey());
                assertThat(iterator.value()).isEqualTo(row.getValue());
                iterator.next();
            }
            assertThat(iterator.isValid()).isFalse();
            iterator.seekToLast();
            for (Map.Entry<byte[], byte[]> row : want.descendingMap().entrySet()) {
                assertThat(iterator.isValid()).isTrue();
                assertThat(iterator.key()).isEqualTo(row.getKey());
                iterator.prev();
            }
            assertThat(iterator.isValid()).isFalse();
        }
    }
}
