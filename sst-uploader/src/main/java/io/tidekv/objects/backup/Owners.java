package io.tidekv.objects.backup;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * PD and the owners of the regions, as one who makes a backup sees them. Calls block, with
 * deadlines of their own, and throw {@link io.tidekv.objects.gc.CollectionStopped} when PD does not
 * answer.
 */
public interface Owners {
    /** A timestamp above all that were given out before. */
    long timestamp();

    /**
     * Keeps what readers at {@code ts} need from the collection of old versions, for a time or
     * until it is released. False when that has passed it already.
     */
    boolean hold(long ts, Duration time);

    /** Nothing is held any more. */
    void release();

    /** All regions, as PD knows them. */
    List<Owned> regions();

    /**
     * Asks the owners to settle regions at {@code ts}, all at once. Who does not answer is left
     * out.
     *
     * @param byStore ids of regions by the address of their store
     * @param publish whether they are to publish, too
     */
    List<Answer> settle(Map<String, List<Long>> byStore, long ts, boolean publish);

    /**
     * A region.
     *
     * @param end empty: no bound
     * @param store address of its owner; empty: none at present
     */
    record Owned(long regionId, ByteString start, ByteString end, String store) {}

    /**
     * What became of a region.
     *
     * @param problem empty when it is settled; then the range is what it had at the time
     * @param record null unless it has published
     */
    record Answer(
            long regionId,
            ByteString start,
            ByteString end,
            @Nullable ObjectRef record,
            String problem) {}
}
