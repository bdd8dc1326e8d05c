package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.LiveFileMetaData;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Publishes RocksDB tablets: flush, capture, upload, record. */
final class RocksPublisher implements Publisher {
    private static final Logger log = LoggerFactory.getLogger(RocksPublisher.class);

    /** Few, so that a small publication does not queue for long behind a large one. */
    private static final int UPLOADS_AT_ONCE = 4;

    private final TabletSettings settings;
    private final Uploader uploader;
    private final Flusher flusher;
    private final Compactor compactor;
    private final RecordCutter cutter;

    RocksPublisher(
            TabletSettings settings,
            Uploader uploader,
            Flusher flusher,
            Compactor compactor,
            RecordCutter cutter) {
        this.settings = settings;
        this.uploader = uploader;
        this.flusher = flusher;
        this.compactor = compactor;
        this.cutter = cutter;
    }

    @Override
    public TabletRecord draft(Tablet tablet, PublishRequest request) {
        Invariants.check(tablet instanceof RocksTablet, "a tablet of another store is published");
        RocksTablet rocks = (RocksTablet) tablet;
        rocks.acquire();
        try {
            synchronized (rocks.publishing()) {
                return draftAlone(rocks, request);
            }
        } finally {
            rocks.instance().release();
        }
    }

    private TabletRecord draftAlone(RocksTablet tablet, PublishRequest request) {
        long bytes = tablet.publication().beginDraft();
        flusher.flush(tablet);
        Capture capture = Capture.take(tablet);
        upload(tablet, request.term(), capture.fresh(), live(capture));
        TabletRecord record = record(tablet, request, capture, tablet.publication().objects());
        tablet.publication().drafted(record.getAppliedIndex(), bytes);
        compactor.consider(tablet);
        return record;
    }

    @Override
    public CompletableFuture<PreparedRecord> prepareShared(Tablet tablet, PublishRequest request) {
        if (!uploader.isSharing()) {
            return CompletableFuture.completedFuture(prepare(tablet, request));
        }
        Invariants.check(tablet instanceof RocksTablet, "a tablet of another store is published");
        RocksTablet rocks = (RocksTablet) tablet;
        rocks.acquire();
        try {
            synchronized (rocks.publishing()) {
                return prepareSharedAlone(rocks, request);
            }
        } finally {
            rocks.instance().release();
        }
    }

    /** The record names places of files in the very object that it gets a place in itself. */
    private CompletableFuture<PreparedRecord> prepareSharedAlone(
            RocksTablet tablet, PublishRequest request) {
        long bytes = tablet.publication().beginDraft();
        flusher.flush(tablet);
        Capture capture = Capture.take(tablet);
        Map<Long, Uploader.Placed> placed = new TreeMap<>();
        Map<Long, Path> large = new TreeMap<>();
        capture.fresh()
                .forEach(
                        (number, file) -> {
                            Uploader.@Nullable Placed place =
                                    uploader.placeSst(tablet.regionId(), request.term(), file);
                            if (place == null) {
                                large.put(number, file);
                            } else {
                                placed.put(number, place);
                            }
                        });
        upload(tablet, request.term(), large, live(capture));
        Map<Long, ObjectRef> objects = new HashMap<>(tablet.publication().objects());
        placed.forEach((number, place) -> objects.put(number, place.ref()));
        TabletRecord record = record(tablet, request, capture, objects);
        tablet.publication().drafted(record.getAppliedIndex(), bytes);
        compactor.consider(tablet);
        List<CompletableFuture<?>> all = new ArrayList<>();
        placed.values().forEach(place -> all.add(place.stored()));
        CompletableFuture<ObjectRef> ref = storeShared(record);
        all.add(ref);
        return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new))
                .thenApply(
                        stored -> {
                            placed.forEach((n, p) -> tablet.publication().uploaded(n, p.ref()));
                            if (tablet.instance().tryUse()) {
                                unpin(tablet, live(capture));
                                tablet.instance().release();
                            }
                            return new PreparedRecord(ref.join(), record);
                        });
    }

    private CompletableFuture<ObjectRef> storeShared(TabletRecord record) {
        Uploader.@Nullable Placed placed = uploader.placeRecord(record);
        if (placed == null) {
            return uploader.uploadRecordAsync(record);
        }
        ObjectRef ref = placed.ref();
        return placed.stored().thenApply(stored -> ref);
    }

    private static Set<Long> live(Capture capture) {
        Set<Long> live = new TreeSet<>();
        capture.files().families().forEach(family -> live.addAll(family.files().keySet()));
        return live;
    }

    @Override
    public TabletRecord cut(TabletRecord draft, ByteString at, boolean below, TabletRecord writer) {
        return cutter.cut(draft, at, below, writer);
    }

    @Override
    public ObjectRef store(TabletRecord record) {
        return uploader.uploadRecord(record);
    }

    /** Uploads the files; those that got through are not uploaded again. */
    private void upload(RocksTablet tablet, long term, Map<Long, Path> fresh, Set<Long> live) {
        ArrayDeque<Map.Entry<Long, Path>> waiting = new ArrayDeque<>(fresh.entrySet());
        TreeMap<Long, CompletableFuture<ObjectRef>> uploads = new TreeMap<>();
        RuntimeException failure = null;
        while (!uploads.isEmpty() || (failure == null && !waiting.isEmpty())) {
            while (failure == null && uploads.size() < UPLOADS_AT_ONCE && !waiting.isEmpty()) {
                Map.Entry<Long, Path> file = waiting.remove();
                uploads.put(
                        file.getKey(),
                        uploader.uploadSstAsync(
                                tablet.regionId(), term, file.getKey(), file.getValue()));
            }
            Map.Entry<Long, CompletableFuture<ObjectRef>> oldest = uploads.firstEntry();
            uploads.remove(oldest.getKey());
            try {
                tablet.publication().uploaded(oldest.getKey(), await(oldest.getValue()));
            } catch (RuntimeException e) {
                failure = failure == null ? e : failure;
            }
        }
        unpin(tablet, live);
        if (failure != null) {
            throw failure;
        }
        tablet.publication().retain(live);
    }

    private static ObjectRef await(CompletableFuture<ObjectRef> upload) {
        try {
            return upload.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ObjectStoreException(
                    ObjectStoreException.Kind.UNAVAILABLE, "", "interrupted while uploading", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException failed) {
                throw failed;
            }
            throw new IllegalStateException("upload", e.getCause());
        }
    }

    /** Drops pins of files that are uploaded or that RocksDB has no more. */
    private static void unpin(RocksTablet tablet, Set<Long> live) {
        try (DirectoryStream<Path> pins =
                Files.newDirectoryStream(tablet.instance().folder().pins())) {
            for (Path pin : pins) {
                long number = LiveSet.number(pin.getFileName().toString());
                if (!live.contains(number) || tablet.publication().object(number) != null) {
                    Files.deleteIfExists(pin);
                }
            }
        } catch (IOException e) {
            log.warn("cannot remove pins of region {}", tablet.regionId(), e);
        }
    }

    private TabletRecord record(
            RocksTablet tablet,
            PublishRequest request,
            Capture capture,
            Map<Long, ObjectRef> objects) {
        @Nullable PreparedRecord base = tablet.publication().base();
        TabletRecord.Builder record =
                base == null
                        ? TabletRecord.newBuilder()
                        : base.record().toBuilder()
                                .clearParent()
                                .clearPendingChildren()
                                .clearUnreportedMerges();
        record.setFormatVersion(1)
                .setClusterId(settings.clusterId())
                .setApiMode(settings.apiMode())
                .setShape(capture.cells().state().shape())
                .addAllPendingChildren(capture.cells().state().pendingChildren())
                .setFlashbackStartTs(capture.cells().state().flashbackStartTs())
                .addAllUnreportedMerges(capture.cells().state().merges())
                .setTerm(request.term())
                .setSequence(tablet.publication().nextSequence(request.term()))
                .setAppliedIndex(capture.cells().mark().index())
                .setAppliedTerm(capture.cells().mark().term())
                .clearMaxCommitTs();
        tablet.newestCommit().tell(record);
        if (request.parent() != null) {
            record.setParent(request.parent());
        }
        try {
            RecordFiles.fill(record, capture.files(), objects);
            count(record, base, Capture.counts(tablet.instance()));
            TabletRecord built = ChildRecords.withinRange(record.build(), record.getShape());
            FileSet readBack = RecordFiles.of(built);
            Invariants.check(readBack.nextFile() == built.getNextFile(), "next file differs");
            return built;
        } catch (ManifestException e) {
            throw Failures.unavailable(
                    tablet.regionId(), "", "cannot build a record: " + e.getMessage());
        }
    }

    private static void count(
            TabletRecord.Builder record,
            @Nullable PreparedRecord base,
            Map<Long, LiveFileMetaData> counts) {
        Map<Long, SstFile> before = base == null ? Map.of() : RecordFiles.byNumber(base.record());
        for (ColumnFamily.Builder family : record.getColumnFamiliesBuilderList()) {
            for (SstFile.Builder file : family.getFilesBuilderList()) {
                SstFile known = before.get(file.getNumber());
                LiveFileMetaData counted = counts.get(file.getNumber());
                if (known != null) {
                    file.setEntries(known.getEntries()).setDeletions(known.getDeletions());
                } else if (counted != null) {
                    file.setEntries(counted.numEntries()).setDeletions(counted.numDeletions());
                }
            }
        }
    }
}
