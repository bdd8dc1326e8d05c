package io.tidekv.common.error;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Why a request on the data path was not served. One kind per way in which a client must act
 * differently; each is mapped to {@code errorpb.Error} in one place. Errors about keys and locks
 * (kvrpcpb.KeyError) are results of the transaction layer and not listed here.
 */
public sealed interface KvError {
    /** For people and for {@code errorpb.Error.message}. Never holds user data. */
    String message();

    /** A region and the store that serves it, as told to clients. */
    record Route(RegionShape shape, long storeId) {}

    /**
     * The store does not serve the region at present. The hint is only given when the store knows
     * it for certain.
     */
    record NotLeader(long regionId, @Nullable Route leader, String message) implements KvError {}

    record RegionNotFound(long regionId, String message) implements KvError {}

    /**
     * The request's epoch is not the region's; {@code current} holds the region and what was split
     * off it since.
     */
    record EpochNotMatch(List<Route> current, String message) implements KvError {}

    record KeyNotInRegion(ByteString key, RegionShape shape, String message) implements KvError {}

    record StoreNotMatch(long requestStoreId, long actualStoreId, String message)
            implements KvError {}

    record PeerNotMatch(long requestPeerId, long actualPeerId, String message) implements KvError {}

    /** The request names a term that is over. */
    record StaleCommand(String message) implements KvError {}

    /** Too much is queued, or the region is being handed over: repeat after {@code backoffMs}. */
    record ServerIsBusy(String reason, long backoffMs) implements KvError {
        @Override
        public String message() {
            return reason;
        }
    }

    record EntryTooLarge(long regionId, long bytes, String message) implements KvError {}

    record MaxTimestampNotSynced(String message) implements KvError {}

    /** The write may or may not take effect: its fate is not known. */
    record Undetermined(String message) implements KvError {}

    record DiskFull(long storeId, String message) implements KvError {}

    record DeadlineExceeded(String message) implements KvError {}

    /**
     * The region cannot be served until its objects are whole again. {@code object} may be empty.
     */
    record RegionUnavailable(long regionId, String object, String message) implements KvError {}

    /** The region is shut by the flashback that began at {@code startTs}. */
    record FlashbackInProgress(long regionId, long startTs, String message) implements KvError {}

    /** A step of a flashback came to a region that is not shut by one. */
    record FlashbackNotPrepared(long regionId, String message) implements KvError {}

    /** The request itself makes no sense. */
    record InvalidRequest(String message) implements KvError {}
}
