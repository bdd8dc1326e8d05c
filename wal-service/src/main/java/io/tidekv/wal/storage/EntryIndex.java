package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import java.util.Arrays;

/**
 * Where the entries of one region lie: an array by index, cheap at both ends. While segments are
 * read back it may have gaps, for moved entries come late. Tells {@link Usage} what it takes up and
 * lets go.
 */
final class EntryIndex {
    /** Counts the bytes of each segment that are still needed. */
    interface Usage {
        void hold(long place, int size);

        void release(long place, int size);
    }

    private static final long ABSENT = -1;
    private static final int SMALLEST = 8;

    private final Usage usage;
    private long[] places = {};
    private long[] terms = {};
    private int[] sizes = {};
    // Slot of the entry firstIndex; its successors follow.
    private int start;
    private int count;
    private long firstIndex;

    EntryIndex(Usage usage) {
        this.usage = usage;
    }

    boolean isEmpty() {
        return count == 0;
    }

    long firstIndex() {
        return firstIndex;
    }

    /** Meaningless when empty. */
    long lastIndex() {
        return firstIndex + count - 1;
    }

    boolean has(long index) {
        return index >= firstIndex && index <= lastIndex() && places[slot(index)] != ABSENT;
    }

    long place(long index) {
        return places[slot(index)];
    }

    int size(long index) {
        return sizes[slot(index)];
    }

    long term(long index) {
        return terms[slot(index)];
    }

    /** Sets or replaces one entry; those beside it stay. */
    void put(long index, long place, int size, long term) {
        reach(index);
        int slot = slot(index);
        if (places[slot] != ABSENT) {
            usage.release(places[slot], sizes[slot]);
        }
        places[slot] = place;
        sizes[slot] = size;
        terms[slot] = term;
        usage.hold(place, size);
    }

    /** Drops {@code index} and all behind it. */
    void truncateFrom(long index) {
        while (count > 0 && lastIndex() >= index) {
            drop(start + count - 1);
            count--;
        }
    }

    /** Drops {@code index} and all before it. */
    void trimThrough(long index) {
        while (count > 0 && firstIndex <= index) {
            drop(start);
            start++;
            count--;
            firstIndex++;
        }
        if (count < places.length / 4) {
            resize(Math.max(count * 2, SMALLEST), 0);
        }
    }

    void clear() {
        if (count > 0) {
            trimThrough(lastIndex());
        }
    }

    private void drop(int slot) {
        if (places[slot] != ABSENT) {
            usage.release(places[slot], sizes[slot]);
        }
    }

    /** Makes a slot for {@code index}, with gaps between it and what is there. */
    private void reach(long index) {
        if (count == 0) {
            firstIndex = index;
        }
        long gap = index < firstIndex ? firstIndex - index : Math.max(0, index - lastIndex());
        if (gap == 0) {
            return;
        }
        long wanted = count + gap;
        if (wanted >= Integer.MAX_VALUE / 2) {
            Invariants.check(false, "entries %s lie too far apart", wanted);
        }
        if (index < firstIndex) {
            if (start < gap) {
                resize((int) (wanted * 2), (int) wanted);
            }
            start -= (int) gap;
            firstIndex = index;
            Arrays.fill(places, start, start + (int) gap, ABSENT);
        } else {
            if (start + wanted > places.length) {
                resize((int) Math.max(wanted + wanted / 2, SMALLEST), 0);
            }
            Arrays.fill(places, start + count, start + (int) wanted, ABSENT);
        }
        count = (int) wanted;
    }

    private void resize(int capacity, int newStart) {
        if (capacity == places.length && newStart == start) {
            return;
        }
        long[] newPlaces = new long[capacity];
        long[] newTerms = new long[capacity];
        int[] newSizes = new int[capacity];
        System.arraycopy(places, start, newPlaces, newStart, count);
        System.arraycopy(terms, start, newTerms, newStart, count);
        System.arraycopy(sizes, start, newSizes, newStart, count);
        places = newPlaces;
        terms = newTerms;
        sizes = newSizes;
        start = newStart;
    }

    private int slot(long index) {
        return start + (int) (index - firstIndex);
    }
}
