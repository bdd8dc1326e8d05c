package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.MutableDBOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * One open RocksDB and how many use it. It is closed, and its folders removed, by whoever ends the
 * last use, and never before: a call into a closed RocksDB ends the process. Thread-safe.
 */
final class Instance {
    /** With this limit RocksDB keeps no reader of a table open beyond its use. */
    private static final int DROP_READERS = 10;

    private final RocksDB db;
    private final List<ColumnFamilyHandle> families;
    private final DBOptions options;
    private final NativeOptions shared;
    private final Workspace workspace;
    private final TabletFolder folder;

    /** The owner's use counts as one. */
    private final AtomicInteger uses = new AtomicInteger(1);

    private volatile boolean closing;

    private Instance(
            RocksDB db,
            List<ColumnFamilyHandle> families,
            DBOptions options,
            NativeOptions shared,
            Workspace workspace,
            TabletFolder folder) {
        this.db = db;
        this.families = families;
        this.options = options;
        this.shared = shared;
        this.workspace = workspace;
        this.folder = folder;
        shared.instances(1);
    }

    /**
     * Opens a RocksDB of exactly these files, of which none needs to be here.
     *
     * @throws RocksDBException when RocksDB refuses
     * @throws IOException when the folders cannot be written
     * @throws io.tidekv.compute.tablet.manifest.ManifestException when RocksDB opened something
     *     else
     */
    static Instance open(long regionId, FileSet files, NativeOptions shared, Workspace workspace)
            throws RocksDBException, IOException {
        TabletFolder folder = workspace.create(regionId);
        DBOptions options = shared.database(folder.tables());
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        Instance opened = null;
        boolean good = false;
        try {
            install(files, folder);
            List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
            for (String name : RecordFiles.FAMILIES) {
                descriptors.add(
                        new ColumnFamilyDescriptor(
                                name.getBytes(StandardCharsets.UTF_8), shared.columnFamily()));
            }
            RocksDB db = RocksDB.open(options, folder.meta().toString(), descriptors, handles);
            opened = new Instance(db, handles, options, shared, workspace, folder);
            LiveSet.check(files, db.getLiveFilesMetaData());
            good = true;
            return opened;
        } finally {
            if (!good) {
                if (opened != null) {
                    opened.close();
                } else {
                    options.close();
                    workspace.remove(folder);
                }
            }
        }
    }

    private static void install(FileSet files, TabletFolder folder) throws IOException {
        long number = files.nextFile();
        files.nextFile(number + 1);
        String manifest = ManifestWriter.manifestName(number);
        Files.write(folder.meta().resolve(manifest), ManifestWriter.write(files));
        Files.writeString(folder.meta().resolve("CURRENT"), manifest + "\n");
    }

    /** Begins a use unless the owner has closed the instance; each ends with {@link #release}. */
    boolean tryUse() {
        if (closing) {
            return false;
        }
        int now = uses.get();
        while (now > 0) {
            if (uses.compareAndSet(now, now + 1)) {
                return true;
            }
            now = uses.get();
        }
        return false;
    }

    void release() {
        int left = uses.decrementAndGet();
        Invariants.check(left >= 0, "a tablet is released more often than used");
        if (left == 0) {
            destroy();
        }
    }

    /** The owner's use ends; compactions under way are cut short. Call once. */
    void close() {
        closing = true;
        db.abortAllCompactions();
        release();
    }

    boolean closing() {
        return closing;
    }

    private void destroy() {
        families.forEach(ColumnFamilyHandle::close);
        db.close();
        options.close();
        workspace.remove(folder);
        shared.instances(-1);
    }

    RocksDB db() {
        return db;
    }

    ColumnFamilyHandle family(int id) {
        return families.get(id);
    }

    List<ColumnFamilyHandle> families() {
        return families;
    }

    NativeOptions shared() {
        return shared;
    }

    TabletFolder folder() {
        return folder;
    }

    /** Closes readers of tables that nobody uses, so that replaced files are read anew. */
    void dropReaders() throws RocksDBException {
        for (int limit : new int[] {DROP_READERS, shared.settings().maxOpenFiles()}) {
            db.setDBOptions(MutableDBOptions.builder().setMaxOpenFiles(limit).build());
        }
    }

    /** Sum of a number-valued property over all column families. */
    long property(String name) {
        try {
            long sum = 0;
            for (ColumnFamilyHandle family : families) {
                sum += db.getLongProperty(family, name);
            }
            return sum;
        } catch (RocksDBException e) {
            throw new IllegalStateException(
                    String.format(Locale.ROOT, "RocksDB has no property %s", name), e);
        }
    }
}
