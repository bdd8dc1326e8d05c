package io.tidekv.wal.service;

import io.tidekv.wal.core.Committed;
import io.tidekv.wal.storage.SealedSegment;
import io.tidekv.wal.storage.StorageDamageException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who keeps copies of full segments elsewhere. Called on the writer's thread; nothing here blocks.
 */
public interface SegmentArchive {
    /** Segments from this number on have no copy yet and must be kept. Never goes back. */
    long firstWanted();

    /** After this time a segment that holds anything is closed, however small it is. */
    Duration interval();

    /**
     * All full segments that are there, oldest first, in place of those named before; and what is
     * known to be committed now.
     */
    void offer(List<SealedSegment> segments, List<Committed> committed);

    /** What was found to be damaged while it was read; null when nothing was. Told once. */
    @Nullable StorageDamageException takeDamage();
}
