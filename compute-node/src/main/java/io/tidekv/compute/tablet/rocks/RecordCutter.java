package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.compute.tablet.manifest.JoinedFiles;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.rocks.FileCutter.Side;
import io.tidekv.objects.hydrate.Pin;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Rids a record of what its files hold beyond a border. Only the files that reach over it are read
 * and written again, of which there is at most one in each level below 0. Blocks; thread-safe.
 */
final class RecordCutter {
    private final SstCache cache;
    private final Uploader uploader;
    private final FileCutter files;

    RecordCutter(SstCache cache, Uploader uploader, FileCutter files) {
        this.cache = cache;
        this.uploader = uploader;
        this.files = files;
    }

    /** As {@link io.tidekv.compute.tablet.Publisher#cut}. */
    TabletRecord cut(TabletRecord draft, ByteString at, boolean below, TabletRecord writer) {
        Side side = below ? Side.BELOW : Side.FROM;
        AtomicLong next = new AtomicLong(draft.getNextFile());
        long sequence = draft.getLastSequence();
        TabletRecord.Builder cut = draft.toBuilder().clearColumnFamilies();
        for (ColumnFamily family : draft.getColumnFamiliesList()) {
            ColumnFamily.Builder kept = family.toBuilder().clearFiles();
            for (SstFile file : family.getFilesList()) {
                SstFile stays = file;
                if (FileCutter.isOutside(file, at, side)) {
                    continue;
                }
                if (FileCutter.reachesOver(file, at, side)) {
                    stays = copy(family.getId(), file, at, side, writer, next);
                }
                if (stays != null) {
                    kept.addFiles(stays);
                    sequence = Math.max(sequence, stays.getLargestSequence());
                }
            }
            cut.addColumnFamilies(kept);
        }
        return cut.setNextFile(next.get()).setLastSequence(sequence).build();
    }

    private @Nullable SstFile copy(
            int family,
            SstFile file,
            ByteString at,
            Side side,
            TabletRecord writer,
            AtomicLong next) {
        long region = writer.getShape().getRegionId();
        try (Pin pin = cache.pin(file.getObject())) {
            Path table = cache.fetch(file.getObject());
            return files.cut(
                    family,
                    file,
                    table,
                    at,
                    side,
                    copy -> {
                        if (copy == null) {
                            return null;
                        }
                        long number = next.getAndIncrement();
                        SstFile placed =
                                JoinedFiles.withEpoch(copy.file(), JoinedFiles.epoch(file))
                                        .toBuilder()
                                        .setNumber(number)
                                        .setLevel(file.getLevel())
                                        .build();
                        return placed.toBuilder()
                                .setObject(
                                        uploader.uploadSst(
                                                region, writer.getTerm(), number, copy.path()))
                                .build();
                    });
        } catch (RocksDBException e) {
            throw Failures.unavailable(region, "a file cannot be cut", e);
        } catch (IOException | ManifestException e) {
            throw Failures.unavailable(
                    region, file.getObject().getKey(), "a file cannot be cut: " + e.getMessage());
        }
    }
}
