package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.RocksDBException;

/**
 * A compaction in a clone of somebody else's tablet: what RocksDB has made of its files afterwards
 * is the result. Used once; the caller holds a use of the clone.
 */
final class CloneCompaction {
    private final RocksTablet clone;
    private final Compactor compactor;
    private final Uploader uploader;

    CloneCompaction(RocksTablet clone, Compactor compactor, Uploader uploader) {
        this.clone = clone;
        this.compactor = compactor;
        this.uploader = uploader;
    }

    Compacted run(LentCompaction compaction, long term) {
        int family = compaction.family();
        boolean done =
                compactor.compact(
                        clone,
                        family,
                        compaction.inputs(),
                        compaction.outputLevel(),
                        compaction.tableBytes());
        if (!done) {
            throw failed("RocksDB does not compact");
        }
        FileSet after = files();
        Map<Long, SstFile> before =
                RecordFiles.ofFamily(compaction.base().record(), compaction.family());
        Map<Long, SstFile> added = new TreeMap<>();
        Set<Long> removed = new TreeSet<>(before.keySet());
        after.family(family)
                .files()
                .forEach(
                        (number, file) -> {
                            if (!removed.remove(number)) {
                                added.put(number, file);
                            }
                        });
        return new Compacted(removed, upload(added, term));
    }

    private FileSet files() {
        try {
            return Capture.liveFiles(clone.instance());
        } catch (RocksDBException | IOException | ManifestException e) {
            throw failed("its files cannot be listed: " + e.getMessage());
        }
    }

    private List<SstFile> upload(Map<Long, SstFile> files, long term) {
        Map<Long, LiveFileMetaData> counts = Capture.counts(clone.instance());
        Map<Long, CompletableFuture<ObjectRef>> uploads = new TreeMap<>();
        for (long number : files.keySet()) {
            Path file =
                    clone.instance().folder().tables().resolve(ManifestWriter.tableName(number));
            uploads.put(number, uploader.uploadSstAsync(clone.regionId(), term, number, file));
        }
        List<SstFile> uploaded = new ArrayList<>();
        RuntimeException failure = null;
        for (Map.Entry<Long, CompletableFuture<ObjectRef>> upload : uploads.entrySet()) {
            try {
                // All are waited for: the files go with the clone.
                ObjectRef object = upload.getValue().join();
                SstFile file = Invariants.present(files.get(upload.getKey()), "file");
                LiveFileMetaData counted = counts.get(upload.getKey());
                uploaded.add(
                        file.toBuilder()
                                .setObject(object)
                                .setEntries(counted == null ? 0 : counted.numEntries())
                                .setDeletions(counted == null ? 0 : counted.numDeletions())
                                .build());
            } catch (CompletionException e) {
                failure = failed("an upload failed: " + e.getCause());
            }
        }
        if (failure != null) {
            throw failure;
        }
        return uploaded;
    }

    private RuntimeException failed(String reason) {
        return Failures.unavailable(clone.regionId(), "", "a compaction failed: " + reason);
    }
}
