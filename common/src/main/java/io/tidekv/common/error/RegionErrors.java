package io.tidekv.common.error;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.tidekv.common.error.KvError.Route;
import io.tidekv.proto.errorpb.DiskFull;
import io.tidekv.proto.errorpb.EpochNotMatch;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.errorpb.FlashbackInProgress;
import io.tidekv.proto.errorpb.FlashbackNotPrepared;
import io.tidekv.proto.errorpb.KeyNotInRegion;
import io.tidekv.proto.errorpb.MaxTimestampNotSynced;
import io.tidekv.proto.errorpb.MismatchPeerId;
import io.tidekv.proto.errorpb.NotLeader;
import io.tidekv.proto.errorpb.RaftEntryTooLarge;
import io.tidekv.proto.errorpb.RegionNotFound;
import io.tidekv.proto.errorpb.ServerIsBusy;
import io.tidekv.proto.errorpb.StaleCommand;
import io.tidekv.proto.errorpb.StoreNotMatch;
import io.tidekv.proto.errorpb.UndeterminedResult;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.metapb.RegionEpoch;

/**
 * The one mapping of {@link KvError} to errorpb.Error, as TiKV's clients act on it. Bounds of
 * regions go out as they are stored. Stateless.
 */
public final class RegionErrors {
    /** Clients look for this text in {@code message} and, in lower case, in busy reasons. */
    private static final String DEADLINE = "Deadline is exceeded";

    private static final String FIELD = "region_error";

    private RegionErrors() {}

    public static Error of(KvError error) {
        Error.Builder out = Error.newBuilder().setMessage(error.message());
        if (error instanceof KvError.NotLeader e) {
            NotLeader.Builder body = NotLeader.newBuilder().setRegionId(e.regionId());
            if (e.leader() != null) {
                body.setLeader(peer(e.leader()));
            }
            out.setNotLeader(body);
        } else if (error instanceof KvError.RegionNotFound e) {
            out.setRegionNotFound(RegionNotFound.newBuilder().setRegionId(e.regionId()));
        } else if (error instanceof KvError.EpochNotMatch e) {
            EpochNotMatch.Builder body = EpochNotMatch.newBuilder();
            e.current().forEach(route -> body.addCurrentRegions(region(route)));
            out.setEpochNotMatch(body);
        } else if (error instanceof KvError.KeyNotInRegion e) {
            out.setKeyNotInRegion(
                    KeyNotInRegion.newBuilder()
                            .setKey(e.key())
                            .setRegionId(e.shape().getRegionId())
                            .setStartKey(e.shape().getStartKey())
                            .setEndKey(e.shape().getEndKey()));
        } else if (error instanceof KvError.StoreNotMatch e) {
            out.setStoreNotMatch(
                    StoreNotMatch.newBuilder()
                            .setRequestStoreId(e.requestStoreId())
                            .setActualStoreId(e.actualStoreId()));
        } else if (error instanceof KvError.PeerNotMatch e) {
            out.setMismatchPeerId(
                    MismatchPeerId.newBuilder()
                            .setRequestPeerId(e.requestPeerId())
                            .setStorePeerId(e.actualPeerId()));
        } else if (error instanceof KvError.StaleCommand) {
            out.setStaleCommand(StaleCommand.getDefaultInstance());
        } else {
            ofStore(error, out);
        }
        return out.build();
    }

    /** Errors that are not about routing. */
    private static void ofStore(KvError error, Error.Builder out) {
        if (error instanceof KvError.ServerIsBusy e) {
            out.setServerIsBusy(busy(e.reason(), e.backoffMs()));
        } else if (error instanceof KvError.EntryTooLarge e) {
            out.setRaftEntryTooLarge(
                    RaftEntryTooLarge.newBuilder()
                            .setRegionId(e.regionId())
                            .setEntrySize(e.bytes()));
        } else if (error instanceof KvError.MaxTimestampNotSynced) {
            out.setMaxTimestampNotSynced(MaxTimestampNotSynced.getDefaultInstance());
        } else if (error instanceof KvError.Undetermined e) {
            out.setUndeterminedResult(UndeterminedResult.newBuilder().setMessage(e.message()));
        } else if (error instanceof KvError.DiskFull e) {
            out.setDiskFull(DiskFull.newBuilder().addStoreId(e.storeId()).setReason(e.message()));
        } else if (error instanceof KvError.DeadlineExceeded) {
            out.setMessage(DEADLINE).setServerIsBusy(busy("deadline is exceeded", 0));
        } else if (error instanceof KvError.RegionUnavailable e) {
            // No kind of its own on the wire: clients back off and try again for a while.
            out.setServerIsBusy(busy(e.message(), 1000));
        } else if (error instanceof KvError.FlashbackInProgress e) {
            out.setFlashbackInProgress(
                    FlashbackInProgress.newBuilder()
                            .setRegionId(e.regionId())
                            .setFlashbackStartTs(e.startTs()));
        } else if (error instanceof KvError.FlashbackNotPrepared e) {
            // TiKV leaves the text out.
            out.clearMessage()
                    .setFlashbackNotPrepared(
                            FlashbackNotPrepared.newBuilder().setRegionId(e.regionId()));
        }
        // InvalidRequest is its message alone.
    }

    /** An empty response of the prototype's type that carries the error. */
    public static <T extends Message> T response(T prototype, KvError error) {
        return response(prototype, of(error));
    }

    /** As {@link #response(Message, KvError)}. */
    @SuppressWarnings("unchecked") // a builder builds what it was made from
    public static <T extends Message> T response(T prototype, Error error) {
        FieldDescriptor field = prototype.getDescriptorForType().findFieldByName(FIELD);
        if (field == null) {
            return prototype;
        }
        return (T) prototype.newBuilderForType().setField(field, error).build();
    }

    /** True if responses of this type can carry a region error. */
    public static boolean fits(Message prototype) {
        return prototype.getDescriptorForType().findFieldByName(FIELD) != null;
    }

    /** A region as clients are told of it. */
    public static Region region(Route route) {
        return Region.newBuilder()
                .setId(route.shape().getRegionId())
                .setStartKey(route.shape().getStartKey())
                .setEndKey(route.shape().getEndKey())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setConfVer(route.shape().getConfVer())
                                .setVersion(route.shape().getVersion()))
                .addPeers(peer(route))
                .build();
    }

    private static Peer peer(Route route) {
        return Peer.newBuilder()
                .setId(route.shape().getPeerId())
                .setStoreId(route.storeId())
                .build();
    }

    private static ServerIsBusy busy(String reason, long backoffMs) {
        return ServerIsBusy.newBuilder().setReason(reason).setBackoffMs(backoffMs).build();
    }
}
