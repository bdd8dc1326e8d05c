package io.tidekv.objects.gc;

import java.util.Set;

/** Where a collector learns what backups hold. */
@FunctionalInterface
public interface HeldRecords {
    /**
     * Names of the records that backups hold, as {@link io.tidekv.objects.manifest.RecordNames#of}.
     * Throws {@link CollectionStopped} while a backup is being made, or when it cannot be told what
     * one holds.
     *
     * @param nowMillis by the store's clock, not later than now; {@link Long#MAX_VALUE} when
     *     nothing is going to be deleted
     */
    Set<String> read(long nowMillis);
}
