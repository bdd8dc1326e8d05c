package io.tidekv.compute.region.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * The end of the log that is in memory: the entries in {@code (baseIndex, lastIndex]} and the term
 * of the entry at the base. A ring: adding and dropping cost nothing but the slot.
 */
final class EntryWindow {
    /** What an entry costs beside its payload; also keeps empty entries from being free. */
    static final int OVERHEAD_BYTES = 64;

    private @Nullable Entry[] ring = new @Nullable Entry[16];
    private int head;
    private int size;
    private long baseIndex;
    private long baseTerm;
    private long bytes;

    EntryWindow(long baseIndex, long baseTerm) {
        this.baseIndex = baseIndex;
        this.baseTerm = baseTerm;
    }

    static long bytesOf(Entry entry) {
        return (long) entry.getData().size() + OVERHEAD_BYTES;
    }

    long baseIndex() {
        return baseIndex;
    }

    long lastIndex() {
        return baseIndex + (long) size;
    }

    long bytes() {
        return bytes;
    }

    boolean contains(long index) {
        return index > baseIndex && index <= lastIndex();
    }

    Entry get(long index) {
        Invariants.check(contains(index), "entry %s is not in memory", index);
        return Invariants.present(ring[slot((int) (index - baseIndex - 1))], "entry");
    }

    /** Term of an entry in the window or of the one at its base. */
    long termAt(long index) {
        return index == baseIndex ? baseTerm : get(index).getTerm();
    }

    void add(Entry entry) {
        Invariants.check(
                entry.getIndex() == lastIndex() + 1,
                "entry %s after %s",
                entry.getIndex(),
                lastIndex());
        if (size == ring.length) {
            @Nullable Entry[] larger = new @Nullable Entry[size * 2];
            for (int i = 0; i < size; i++) {
                larger[i] = ring[slot(i)];
            }
            ring = larger;
            head = 0;
        }
        ring[slot(size)] = entry;
        size++;
        bytes += bytesOf(entry);
    }

    /** Forgets the entries up to {@code index}. */
    void dropThrough(long index) {
        while (size > 0 && baseIndex < index) {
            Entry entry = get(baseIndex + 1);
            ring[head] = null;
            head = (head + 1) % ring.length;
            size--;
            baseIndex = entry.getIndex();
            baseTerm = entry.getTerm();
            bytes -= bytesOf(entry);
        }
        if (size == 0 && ring.length > 1024) {
            ring = new @Nullable Entry[16];
            head = 0;
        }
    }

    /** The last index of a run of entries from {@code from} on that stays within a size. */
    long endOfSlice(long from, long bytesMax) {
        long total = 0;
        long index = from;
        while (index <= lastIndex()) {
            total += bytesOf(get(index));
            if (total > bytesMax && index > from) {
                break;
            }
            index++;
        }
        return index - 1;
    }

    /** The entries from {@code from} to {@code to}, inclusive; a copy of the references. */
    List<Entry> slice(long from, long to) {
        Entry[] entries = new Entry[(int) (to - from + 1)];
        for (long index = from; index <= to; index++) {
            entries[(int) (index - from)] = get(index);
        }
        return new Slice(entries);
    }

    private int slot(int offset) {
        return (head + offset) % ring.length;
    }

    /** An immutable list that needs no second copy. */
    private static final class Slice extends AbstractList<Entry> implements RandomAccess {
        private final Entry[] entries;

        Slice(Entry[] entries) {
            this.entries = entries;
        }

        @Override
        public Entry get(int index) {
            return entries[index];
        }

        @Override
        public int size() {
            return entries.length;
        }

        @Override
        public String toString() {
            return Arrays.stream(entries).map(Entry::getIndex).toList().toString();
        }
    }
}
