package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.proto.region.RegionShape;
import java.util.List;

/** The outcomes that the region layer hands to callers, worded in one place. */
final class Failures {
    private Failures() {}

    static KvException notLeader(long regionId) {
        return new KvException(
                new KvError.NotLeader(
                        regionId, null, "region " + regionId + " is not led by this store now"));
    }

    static KvException notFound(long regionId) {
        return new KvException(
                new KvError.RegionNotFound(
                        regionId, "region " + regionId + " is not on this store"));
    }

    static KvException unavailable(long regionId, String reason) {
        return new KvException(
                new KvError.RegionUnavailable(
                        regionId, "", "region " + regionId + " cannot be served: " + reason));
    }

    static KvException epoch(List<KvError.Route> current, long regionId, long asked) {
        return new KvException(
                new KvError.EpochNotMatch(
                        current, "region " + regionId + " is not at version " + asked));
    }

    /** Why a region does not let somebody in that is shut since {@code startTs}; 0: is open. */
    static KvException flashback(long regionId, long startTs) {
        return new KvException(
                startTs == 0
                        ? new KvError.FlashbackNotPrepared(
                                regionId, "region " + regionId + " is not prepared for flashback")
                        : new KvError.FlashbackInProgress(
                                regionId,
                                startTs,
                                "region "
                                        + regionId
                                        + " is in the flashback progress with start_ts "
                                        + Long.toUnsignedString(startTs)));
    }

    static KvException busy(String reason, long backoffMs) {
        return new KvException(new KvError.ServerIsBusy(reason, backoffMs));
    }

    static KvException undetermined(long regionId) {
        return new KvException(
                new KvError.Undetermined(
                        "region "
                                + regionId
                                + ": the write was on its way to the log, whether it is in is not"
                                + " known"));
    }

    static KvException keyOutside(ByteString key, RegionShape shape) {
        return new KvException(
                new KvError.KeyNotInRegion(
                        key,
                        shape,
                        "a key of the write lies outside region " + shape.getRegionId()));
    }

    static KvException invalid(String message) {
        return new KvException(new KvError.InvalidRequest(message));
    }

    static KvException tooLarge(long regionId, long bytes, long bytesMax) {
        return new KvException(
                new KvError.EntryTooLarge(
                        regionId,
                        bytes,
                        "a write of " + bytes + " bytes; at most " + bytesMax + " are taken"));
    }
}
