package io.tidekv.compute.engine;

import io.tidekv.common.Invariants;
import io.tidekv.compute.engine.MemoryEngine.Version;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentNavigableMap;
import org.jspecify.annotations.Nullable;

/** A view of a {@link MemoryEngine} at one sequence number and within one range. */
final class MemorySnapshot implements KvSnapshot {
    private final MemoryEngine engine;
    private final long sequence;
    private final byte[] start;
    private final byte @Nullable [] end;
    private boolean closed;

    MemorySnapshot(MemoryEngine engine, long sequence, byte[] start, byte @Nullable [] end) {
        this.engine = engine;
        this.sequence = sequence;
        this.start = start;
        this.end = end;
    }

    @Override
    public byte @Nullable [] get(Cf cf, byte[] key) {
        Invariants.check(!closed, "a closed snapshot is read");
        if (!within(start, end, key)) {
            return null;
        }
        Version newest = engine.family(cf).get(key);
        Version version = newest == null ? null : newest.at(sequence);
        byte[] value = version == null ? null : version.value;
        return value == null ? null : value.clone();
    }

    @Override
    public KvIterator iterator(Cf cf, byte @Nullable [] lower, byte @Nullable [] upper) {
        Invariants.check(!closed, "a closed snapshot is read");
        byte[] from =
                lower == null || Arrays.compareUnsigned(lower, start) < 0 ? start : lower.clone();
        byte[] to = upper == null ? end : upper.clone();
        if (to != null && end != null && Arrays.compareUnsigned(end, to) < 0) {
            to = end;
        }
        return new Walker(engine.family(cf), from, to);
    }

    @Override
    public boolean mayBlock() {
        return false;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            engine.release(sequence);
        }
    }

    private static boolean within(byte[] from, byte @Nullable [] to, byte[] key) {
        return Arrays.compareUnsigned(from, key) <= 0
                && (to == null || Arrays.compareUnsigned(key, to) < 0);
    }

    /** Walks the map and skips what the snapshot does not see. */
    private final class Walker implements KvIterator {
        private final ConcurrentNavigableMap<byte[], Version> map;
        private final byte[] from;
        private final byte @Nullable [] to;
        private byte @Nullable [] key;
        private byte @Nullable [] value;

        Walker(ConcurrentNavigableMap<byte[], Version> map, byte[] from, byte @Nullable [] to) {
            this.map = map;
            this.from = from;
            this.to = to;
        }

        @Override
        public void seek(byte[] target) {
            forward(map.ceilingEntry(Arrays.compareUnsigned(target, from) < 0 ? from : target));
        }

        @Override
        public void seekForPrev(byte[] target) {
            if (to != null && Arrays.compareUnsigned(target, to) >= 0) {
                backward(map.lowerEntry(to));
            } else {
                backward(map.floorEntry(target));
            }
        }

        @Override
        public void seekToFirst() {
            seek(from);
        }

        @Override
        public void seekToLast() {
            backward(to == null ? map.lastEntry() : map.lowerEntry(to));
        }

        @Override
        public boolean isValid() {
            return key != null;
        }

        @Override
        public void next() {
            forward(map.higherEntry(Invariants.present(key, "position")));
        }

        @Override
        public void prev() {
            backward(map.lowerEntry(Invariants.present(key, "position")));
        }

        @Override
        public byte[] key() {
            return Invariants.present(key, "position").clone();
        }

        @Override
        public byte[] value() {
            return Invariants.present(value, "position").clone();
        }

        @Override
        public void close() {
            key = null;
            value = null;
        }

        private void forward(Map.@Nullable Entry<byte[], Version> candidate) {
            Map.Entry<byte[], Version> entry = candidate;
            while (entry != null && !take(entry)) {
                entry = within(from, to, entry.getKey()) ? map.higherEntry(entry.getKey()) : null;
            }
            if (entry == null) {
                close();
            }
        }

        private void backward(Map.@Nullable Entry<byte[], Version> candidate) {
            Map.Entry<byte[], Version> entry = candidate;
            while (entry != null && !take(entry)) {
                entry = within(from, to, entry.getKey()) ? map.lowerEntry(entry.getKey()) : null;
            }
            if (entry == null) {
                close();
            }
        }

        private boolean take(Map.Entry<byte[], Version> entry) {
            if (!within(from, to, entry.getKey())) {
                return false;
            }
            Version version = entry.getValue().at(sequence);
            if (version == null || version.value == null) {
                return false;
            }
            key = entry.getKey();
            value = version.value;
            return true;
        }
    }
}
