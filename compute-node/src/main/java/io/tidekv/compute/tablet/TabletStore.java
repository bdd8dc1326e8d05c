package io.tidekv.compute.tablet;

import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens tablets. One per compute process; thread-safe. */
public interface TabletStore extends AutoCloseable {
    /**
     * Fetches and decodes a record. Blocks. Fails with {@link io.tidekv.common.error.KvException}
     * (RegionUnavailable, naming the object) when it is missing, damaged, of another cluster or
     * region, or cannot be reached now.
     */
    PreparedRecord load(long regionId, ObjectRef ref);

    /**
     * Opens a tablet at {@code record}, without its data, which are fetched as reads need them and
     * in the background. Takes milliseconds and no request to the object store.
     *
     * @param record null for a region that has none yet: the tablet is empty
     * @param shape the region as it is served here; its range is the record's
     * @throws io.tidekv.common.error.KvException RegionUnavailable when the record makes no sense
     *     or the opened tablet is not what it says
     */
    Tablet open(@Nullable PreparedRecord record, RegionShape shape);

    Publisher publisher();

    /**
     * Brings objects to the local disk and compares them with their checksums. Blocks. Throws
     * {@link io.tidekv.objects.store.ObjectStoreException}.
     */
    default void fetch(List<ObjectRef> objects) {}

    /** Closes what is shared. Tablets must be closed before. */
    @Override
    void close();
}
