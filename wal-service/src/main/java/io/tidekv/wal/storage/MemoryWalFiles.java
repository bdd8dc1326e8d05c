package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import io.tidekv.common.Randomness;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A folder in memory that remembers what has been synced, so that it can tell what a loss of power
 * leaves. One thread at a time.
 */
public final class MemoryWalFiles implements WalFiles {
    /** What a loss of power does to what was not synced. */
    public enum Crash {
        ALL_LOST,
        ALL_KEPT,
        /** Every write as a whole, and every suffix of changes of names, by chance. */
        RANDOM,
        /** Every sector of 512 bytes, and every suffix of changes of names, by chance. */
        TORN
    }

    /** What is being done, for {@link Fault}. */
    public enum Call {
        LIST,
        CREATE,
        OPEN,
        DELETE,
        RENAME,
        SYNC_FOLDER,
        SIZE,
        WRITE,
        READ,
        TRUNCATE,
        SYNC
    }

    /** Called before every call; throws to make it fail. */
    public interface Fault {
        void before(Call call, String name) throws IOException;
    }

    private record NameChange(String name, List<MemoryFile> result) {}

    private final Map<String, MemoryFile> names = new TreeMap<>();
    private final Map<String, MemoryFile> syncedNames = new TreeMap<>();
    private final List<NameChange> nameChanges = new ArrayList<>();
    private Fault fault = (call, name) -> {};
    private long capacity = 1L << 40;

    /** Replaces the fault; none at first. */
    public void setFault(Fault newFault) {
        fault = newFault;
    }

    /** Bytes that all files together may have. */
    public void setCapacity(long bytes) {
        capacity = bytes;
    }

    /** The folder as a restarted machine finds it; this one stays as it is. */
    public MemoryWalFiles crashed(Crash crash, Randomness randomness) {
        Map<String, MemoryFile> found = new TreeMap<>(syncedNames);
        int kept =
                switch (crash) {
                    case ALL_LOST -> 0;
                    case ALL_KEPT -> nameChanges.size();
                    case RANDOM, TORN -> randomness.nextInt(nameChanges.size() + 1);
                };
        for (NameChange change : nameChanges.subList(0, kept)) {
            if (change.result.isEmpty()) {
                found.remove(change.name);
            } else {
                found.put(change.name, change.result.get(0));
            }
        }
        MemoryWalFiles restarted = new MemoryWalFiles();
        restarted.capacity = capacity;
        Map<MemoryFile, MemoryFile> copies = new HashMap<>();
        found.forEach(
                (name, file) -> {
                    MemoryFile copy =
                            copies.computeIfAbsent(file, from -> from.crashed(crash, randomness));
                    restarted.names.put(name, copy);
                    restarted.syncedNames.put(name, copy);
                });
        return restarted;
    }

    /** Changes one byte of a file, synced and all, as a decaying disk does. */
    public void rot(String name, long offset) {
        file(name).rot((int) offset);
    }

    /** Length of a file. */
    public long sizeOf(String name) {
        return file(name).size();
    }

    private MemoryFile file(String name) {
        MemoryFile file = names.get(name);
        if (file == null) {
            throw new IllegalArgumentException("no file " + name);
        }
        return file;
    }

    @Override
    public String location() {
        return "memory";
    }

    @Override
    public List<String> list() throws IOException {
        fault.before(Call.LIST, "");
        return List.copyOf(names.keySet());
    }

    @Override
    public WalFile create(String name) throws IOException {
        fault.before(Call.CREATE, name);
        if (names.containsKey(name)) {
            throw new FileAlreadyExistsException(name);
        }
        MemoryFile file = new MemoryFile();
        names.put(name, file);
        nameChanges.add(new NameChange(name, List.of(file)));
        return new Handle(name, file);
    }

    @Override
    public WalFile open(String name) throws IOException {
        fault.before(Call.OPEN, name);
        return new Handle(name, existing(name));
    }

    private MemoryFile existing(String name) throws NoSuchFileException {
        MemoryFile file = names.get(name);
        if (file == null) {
            throw new NoSuchFileException(name);
        }
        return file;
    }

    @Override
    public void delete(String name) throws IOException {
        fault.before(Call.DELETE, name);
        existing(name);
        names.remove(name);
        nameChanges.add(new NameChange(name, List.of()));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        fault.before(Call.RENAME, from);
        MemoryFile file = existing(from);
        names.remove(from);
        names.put(to, file);
        // Appears under the new name before it leaves the old one: renaming is never a loss.
        nameChanges.add(new NameChange(to, List.of(file)));
        nameChanges.add(new NameChange(from, List.of()));
    }

    @Override
    public void syncFolder() throws IOException {
        fault.before(Call.SYNC_FOLDER, "");
        syncedNames.clear();
        syncedNames.putAll(names);
        nameChanges.clear();
    }

    @Override
    public long usableBytes() {
        return capacity - names.values().stream().mapToLong(MemoryFile::size).sum();
    }

    private final class Handle implements WalFile {
        private final String name;
        private final MemoryFile file;

        Handle(String name, MemoryFile file) {
            this.name = name;
            this.file = file;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public long size() throws IOException {
            fault.before(Call.SIZE, name);
            return file.size();
        }

        @Override
        public void write(long position, ByteBuffer from) throws IOException {
            fault.before(Call.WRITE, name);
            long growth = Math.max(0, position + from.remaining() - file.size());
            long usable = usableBytes();
            if (growth > usable) {
                int fit = (int) Math.max(0, from.remaining() - (growth - usable));
                file.write((int) position, from.slice(from.position(), fit));
                throw new IOException("No space left on device");
            }
            file.write((int) position, from);
        }

        @Override
        public void writeBlocks(long position, ByteBuffer from) throws IOException {
            boolean whole = position % BLOCK == 0 && from.remaining() % BLOCK == 0;
            Invariants.check(
                    whole && from.alignmentOffset(from.position(), BLOCK) == 0,
                    "%s bytes at %s are not whole blocks",
                    from.remaining(),
                    position);
            write(position, from);
        }

        @Override
        public void read(long position, ByteBuffer into) throws IOException {
            fault.before(Call.READ, name);
            file.read((int) position, into);
        }

        @Override
        public void truncate(long size) throws IOException {
            fault.before(Call.TRUNCATE, name);
            file.truncate((int) size);
        }

        @Override
        public void sync() throws IOException {
            fault.before(Call.SYNC, name);
            file.sync();
        }

        @Override
        public void close() {}
    }
}
