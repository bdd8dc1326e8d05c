package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.manifest.ManifestReader;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * A consistent cut of a tablet's files, with the entry and the state that they cover. New files are
 * pinned by hard links, so that uploading them can take as long as it likes.
 *
 * @param files the live files
 * @param cells what they hold
 * @param fresh files that are not in the object store yet, by number
 */
record Capture(FileSet files, Cells.Values cells, Map<Long, Path> fresh) {
    private static final int TRIES = 50;

    /** The caller holds a use of the instance. Throws RegionUnavailable. */
    static Capture take(RocksTablet tablet) {
        try {
            for (int i = 0; i < TRIES; i++) {
                Cells.Values before = tablet.cells().persisted();
                Capture capture = cut(tablet, before);
                // Unequal: a flush ended meanwhile, and we cannot tell on which side of the cut.
                if (before.equals(tablet.cells().persisted())) {
                    return capture;
                }
            }
        } catch (RocksDBException e) {
            throw Failures.unavailable(tablet.regionId(), "cannot capture its files", e);
        } catch (IOException | ManifestException e) {
            throw Failures.unavailable(
                    tablet.regionId(), "", "cannot capture its files: " + e.getMessage());
        }
        throw Failures.busy("region " + tablet.regionId() + " is flushing all the time");
    }

    private static Capture cut(RocksTablet tablet, Cells.Values cells)
            throws RocksDBException, IOException {
        RocksDB db = tablet.instance().db();
        db.disableFileDeletions();
        try {
            FileSet files = liveFiles(tablet.instance());
            return new Capture(files, cells, pin(tablet, files));
        } finally {
            db.enableFileDeletions();
        }
    }

    /** What the instance consists of now; its files may not be deleted meanwhile. */
    static FileSet liveFiles(Instance instance) throws RocksDBException, IOException {
        RocksDB.LiveFiles live = instance.db().getLiveFiles(false);
        TreeSet<Long> numbers = new TreeSet<>();
        Path manifest = null;
        for (String name : live.files) {
            if (name.endsWith(".sst")) {
                numbers.add(LiveSet.number(name));
            } else if (name.startsWith("/MANIFEST")) {
                manifest = instance.folder().meta().resolve(name.substring(1));
            }
        }
        Path named = Invariants.present(manifest, "name of the MANIFEST");
        FileSet files = ManifestReader.read(prefix(named, live.manifestFileSize));
        TreeSet<Long> parsed = new TreeSet<>();
        files.families().forEach(family -> parsed.addAll(family.files().keySet()));
        if (!parsed.equals(numbers)) {
            throw new ManifestException("it lists " + parsed + ", live are " + numbers);
        }
        return files;
    }

    private static ByteString prefix(Path manifest, long size) throws IOException {
        try (InputStream in = Files.newInputStream(manifest)) {
            return ByteString.copyFrom(in.readNBytes(Math.toIntExact(size)));
        }
    }

    private static Map<Long, Path> pin(RocksTablet tablet, FileSet files) throws IOException {
        TabletFolder folder = tablet.instance().folder();
        Map<Long, Path> fresh = new TreeMap<>();
        for (FileSet.Family family : files.families()) {
            for (SstFile file : family.files().values()) {
                if (family.id() == RecordFiles.META
                        || tablet.publication().object(file.getNumber()) != null) {
                    continue;
                }
                String name = ManifestWriter.tableName(file.getNumber());
                Path pin = folder.pins().resolve(name);
                try {
                    Files.createLink(pin, folder.tables().resolve(name));
                } catch (FileAlreadyExistsException e) {
                    // Pinned by an earlier publication that did not get through.
                }
                fresh.put(file.getNumber(), pin);
            }
        }
        return fresh;
    }

    /** Rows and tombstones of files that this process has written. */
    static Map<Long, LiveFileMetaData> counts(Instance instance) {
        Map<Long, LiveFileMetaData> counts = new TreeMap<>();
        for (LiveFileMetaData file : instance.db().getLiveFilesMetaData()) {
            counts.put(LiveSet.number(file.fileName()), file);
        }
        return counts;
    }
}
