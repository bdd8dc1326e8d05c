package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.TabletSettings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * A database with the options of a tablet and nothing else of ours, to compare tablets with: one
 * column family, RocksDB's own compactions. Thread-safe.
 */
public final class PlainRocks implements AutoCloseable {
    private final NativeOptions shared;
    private final DBOptions options;
    private final ColumnFamilyOptions family;
    private final WriteOptions writes;
    private final RocksDB db;
    private final ColumnFamilyHandle rows;

    private PlainRocks(TabletSettings settings, boolean synced) throws RocksDBException {
        shared = new NativeOptions(settings);
        options = shared.database(settings.folder()).setCreateIfMissing(true);
        family =
                new ColumnFamilyOptions(shared.columnFamily())
                        .setLevel0FileNumCompactionTrigger(settings.compactAtFiles())
                        .setDisableAutoCompactions(false);
        writes = new WriteOptions().setDisableWAL(!synced).setSync(synced);
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        db =
                RocksDB.open(
                        options,
                        settings.folder().toString(),
                        List.of(
                                new ColumnFamilyDescriptor(
                                        "default".getBytes(StandardCharsets.UTF_8), family)),
                        handles);
        rows = handles.get(0);
    }

    /**
     * Opens or makes one.
     *
     * @param synced whether each batch is in RocksDB's log, and that on the disk, when it is
     *     written; else there is no log, as in a tablet
     * @throws IllegalStateException when RocksDB refuses
     */
    public static PlainRocks open(Path folder, boolean synced) {
        try {
            return new PlainRocks(TabletSettings.of(0, 1, folder), synced);
        } catch (RocksDBException e) {
            throw failed("open", e);
        }
    }

    /** The newest value of a key, or null. */
    public byte @Nullable [] get(byte[] key) {
        try {
            return db.get(rows, key);
        } catch (RocksDBException e) {
            throw failed("read", e);
        }
    }

    /** Writes a batch in RocksDB's form. */
    public void write(byte[] batch) {
        try (WriteBatch write = new WriteBatch(batch)) {
            db.write(writes, write);
        } catch (RocksDBException e) {
            throw failed("write", e);
        }
    }

    private static IllegalStateException failed(String what, RocksDBException e) {
        return new IllegalStateException("RocksDB cannot " + what + ": " + e.getMessage(), e);
    }

    @Override
    public void close() {
        rows.close();
        db.close();
        writes.close();
        family.close();
        options.close();
        shared.close();
    }
}
