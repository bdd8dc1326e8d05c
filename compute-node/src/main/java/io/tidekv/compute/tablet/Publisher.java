package io.tidekv.compute.tablet;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.concurrent.CompletableFuture;

/**
 * Turns the state of a tablet into a record in the object store. Calls block (flush, uploads) while
 * writes and reads of the tablet go on; one call per tablet at a time.
 *
 * <p>Every call can be repeated after a failure: what has been flushed stays, what has been
 * uploaded is not uploaded again. Failures are {@link io.tidekv.common.error.KvException}s
 * (RegionUnavailable, DiskFull) and {@link io.tidekv.objects.store.ObjectStoreException}s; the
 * tablet serves on.
 */
public interface Publisher {
    /**
     * Flushes, uploads what is new and builds the record, without storing it. The record holds
     * exactly the entries up to its applied index, which is at least the last write applied before
     * the call.
     */
    TabletRecord draft(Tablet tablet, PublishRequest request);

    /**
     * A draft whose files hold nothing but keys of {@code shape}'s side of the border {@code at}:
     * those that reach over it are replaced by copies without the other side, which are uploaded in
     * the name of {@code writer}. Other files, and the shape, stay as they are.
     *
     * @param writer the record that the result is for: its region and term
     * @param below whether the side below the border is the one that stays
     */
    TabletRecord cut(TabletRecord draft, ByteString at, boolean below, TabletRecord writer);

    /** Stores a record: one of {@link #draft}, or one derived from it for other ranges. */
    ObjectRef store(TabletRecord record);

    /**
     * As {@link #prepare} for a caller who can wait a second or two longer: what is small shares
     * objects with other tablets'. Blocks for the flush; the future completes on any thread, or
     * fails as {@link #prepare} throws. Until then nothing else of the tablet is published.
     */
    default CompletableFuture<PreparedRecord> prepareShared(Tablet tablet, PublishRequest request) {
        return CompletableFuture.completedFuture(prepare(tablet, request));
    }

    /** Drafts and stores. The caller proposes a ManifestCommit of the result. */
    default PreparedRecord prepare(Tablet tablet, PublishRequest request) {
        TabletRecord record = draft(tablet, request);
        return new PreparedRecord(store(record), record);
    }
}
