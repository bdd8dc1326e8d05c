package io.tidekv.wal.service;

import io.tidekv.wal.storage.SegmentStore;
import java.io.IOException;

/**
 * How a storage that has failed is read back. Runs on the writer's thread, again when it throws.
 */
public interface Reopening {
    /** Returns the storage that takes the place of {@code failed}. */
    SegmentStore reopen(SegmentStore failed) throws IOException;
}
