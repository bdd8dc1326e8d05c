package io.tidekv.wal.storage;

import io.tidekv.common.Randomness;
import io.tidekv.wal.storage.MemoryWalFiles.Crash;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Bytes of a file in memory, with what of them has been synced. */
final class MemoryFile {
    private static final int SECTOR = 512;

    /** A change since the last sync: bytes written at a position, or a cut when there are none. */
    private record Change(int position, ByteBuffer bytes, boolean cut) {}

    private byte[] bytes = {};
    private int size;
    private byte[] synced = {};
    private final List<Change> changes = new ArrayList<>();

    int size() {
        return size;
    }

    void write(int position, ByteBuffer from) {
        int length = from.remaining();
        byte[] copy = new byte[length];
        from.get(copy);
        grow(position + length);
        System.arraycopy(copy, 0, bytes, position, length);
        changes.add(new Change(position, ByteBuffer.wrap(copy), false));
    }

    void read(int position, ByteBuffer into) {
        int length = Math.min(into.remaining(), size - position);
        if (length > 0) {
            into.put(bytes, position, length);
        }
    }

    void truncate(int newSize) {
        Arrays.fill(bytes, Math.min(newSize, size), size, (byte) 0);
        size = Math.min(size, newSize);
        changes.add(new Change(newSize, ByteBuffer.allocate(0), true));
    }

    void sync() {
        synced = Arrays.copyOf(bytes, size);
        changes.clear();
    }

    void rot(int offset) {
        bytes[offset] ^= 0x10;
        if (offset < synced.length) {
            synced[offset] ^= 0x10;
        }
    }

    /** The file as a restarted machine finds it. */
    MemoryFile crashed(Crash crash, Randomness randomness) {
        MemoryFile found = new MemoryFile();
        if (crash == Crash.ALL_KEPT) {
            found.grow(size);
            System.arraycopy(bytes, 0, found.bytes, 0, size);
        } else {
            found.grow(synced.length);
            System.arraycopy(synced, 0, found.bytes, 0, synced.length);
        }
        if (crash == Crash.TORN) {
            changes.forEach(change -> found.tear(change, randomness));
        } else if (crash == Crash.RANDOM) {
            changes.forEach(change -> found.perhaps(change, randomness));
        }
        found.sync();
        return found;
    }

    /** Applies the change whole, or not at all. */
    private void perhaps(Change change, Randomness randomness) {
        if (randomness.chance(0.5)) {
            if (change.cut) {
                truncate(change.position);
            } else {
                write(change.position, change.bytes.duplicate());
            }
        }
    }

    private void tear(Change change, Randomness randomness) {
        if (change.cut) {
            if (randomness.chance(0.5)) {
                truncate(change.position);
            }
            return;
        }
        int end = change.position + change.bytes.limit();
        for (int at = change.position; at < end; ) {
            int sectorEnd = Math.min(end, at / SECTOR * SECTOR + SECTOR);
            if (randomness.chance(0.5)) {
                int from = at - change.position;
                write(at, change.bytes.slice(from, sectorEnd - at));
            }
            at = sectorEnd;
        }
        if (randomness.chance(0.5)) {
            grow(end);
        }
    }

    private void grow(int wanted) {
        if (wanted > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(wanted, bytes.length * 2));
        }
        size = Math.max(size, wanted);
    }
}
