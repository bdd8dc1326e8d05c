package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.keyspace.Keyspaces;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.tso.TsoService;
import io.tidekv.proto.pdpb.AdvanceGCSafePointRequest;
import io.tidekv.proto.pdpb.AdvanceGCSafePointResponse;
import io.tidekv.proto.pdpb.AdvanceTxnSafePointRequest;
import io.tidekv.proto.pdpb.AdvanceTxnSafePointResponse;
import io.tidekv.proto.pdpb.DeleteGCBarrierRequest;
import io.tidekv.proto.pdpb.DeleteGCBarrierResponse;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.GCBarrierInfo;
import io.tidekv.proto.pdpb.GCState;
import io.tidekv.proto.pdpb.GetExternalTimestampResponse;
import io.tidekv.proto.pdpb.GetGCSafePointResponse;
import io.tidekv.proto.pdpb.GetGCStateRequest;
import io.tidekv.proto.pdpb.GetGCStateResponse;
import io.tidekv.proto.pdpb.KeyspaceScope;
import io.tidekv.proto.pdpb.ResponseHeader;
import io.tidekv.proto.pdpb.SetExternalTimestampRequest;
import io.tidekv.proto.pdpb.SetExternalTimestampResponse;
import io.tidekv.proto.pdpb.SetGCBarrierRequest;
import io.tidekv.proto.pdpb.SetGCBarrierResponse;
import io.tidekv.proto.pdpb.UpdateGCSafePointRequest;
import io.tidekv.proto.pdpb.UpdateGCSafePointResponse;
import io.tidekv.proto.pdpb.UpdateServiceGCSafePointRequest;
import io.tidekv.proto.pdpb.UpdateServiceGCSafePointResponse;
import io.tidekv.proto.pdstate.AdvanceGcSafePoint;
import io.tidekv.proto.pdstate.AdvanceTxnSafePoint;
import io.tidekv.proto.pdstate.Barrier;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.DeleteBarrier;
import io.tidekv.proto.pdstate.Result;
import io.tidekv.proto.pdstate.SetBarrier;
import io.tidekv.proto.pdstate.SetExternalTimestamp;
import java.util.concurrent.CompletableFuture;

/**
 * Safe points, by the present calls and by those that older clients use. There is one garbage
 * collection for the whole cluster: its scope is the null keyspace, and DEFAULT is part of it.
 */
public final class SafePointCalls {
    private static final int NULL_KEYSPACE = -1;
    private static final String GC_WORKER = "gc_worker";

    private final StateLog log;
    private final TsoService tso;
    private final Clock clock;
    private final Guard guard;

    public SafePointCalls(StateLog log, TsoService tso, Clock clock) {
        this.log = log;
        this.tso = tso;
        this.clock = clock;
        this.guard = new Guard(log);
    }

    GetGCSafePointResponse gc() {
        return GetGCSafePointResponse.newBuilder()
                .setHeader(guard.header())
                .setSafePoint(log.read(s -> s.safePoints().gc()))
                .build();
    }

    /** As PD 8.5: also raises the transaction safe point, and a smaller value changes nothing. */
    CompletableFuture<UpdateGCSafePointResponse> update(UpdateGCSafePointRequest request) {
        return advanceGc(request.getSafePoint(), false)
                .thenApply(
                        result -> {
                            if (result.hasFailure()) {
                                throw unknown(result.getFailure().getMessage());
                            }
                            return UpdateGCSafePointResponse.newBuilder()
                                    .setHeader(guard.header())
                                    .setNewSafePoint(result.getSafePointAdvanced().getNewValue())
                                    .build();
                        });
    }

    /** {@code gc_worker} is the transaction safe point itself, any other service a barrier. */
    CompletableFuture<UpdateServiceGCSafePointResponse> updateService(
            UpdateServiceGCSafePointRequest request) {
        String service = request.getServiceId().toStringUtf8();
        if (service.isEmpty()) {
            throw unknown("invalid argument for barrierID: ");
        }
        if (!service.equals(GC_WORKER)) {
            return barrier(service, request);
        }
        if (request.getTTL() != Long.MAX_VALUE) {
            throw unknown("TTL of gc_worker's service safe point must be infinity");
        }
        return advanceTxn(request.getSafePoint(), false)
                .thenApply(
                        result -> {
                            Barrier blocker = result.getSafePointAdvanced().getBlocker();
                            return result.getSafePointAdvanced().hasBlocker()
                                    ? lowest(blocker.getId(), ttl(blocker))
                                    : lowest(GC_WORKER, Long.MAX_VALUE);
                        });
    }

    private CompletableFuture<UpdateServiceGCSafePointResponse> barrier(
            String service, UpdateServiceGCSafePointRequest request) {
        Command.Builder command = Command.newBuilder();
        if (request.getTTL() <= 0) {
            command.setDeleteBarrier(
                    DeleteBarrier.newBuilder().setId(service).setNowSeconds(nowSeconds()));
        } else {
            command.setSetBarrier(barrier(service, request.getSafePoint(), request.getTTL()));
        }
        // A barrier behind the safe point is too late: the caller sees that by the minimum.
        return log.submit(command.build()).thenApply(result -> lowest(GC_WORKER, Long.MAX_VALUE));
    }

    private UpdateServiceGCSafePointResponse lowest(String service, long ttl) {
        return UpdateServiceGCSafePointResponse.newBuilder()
                .setHeader(guard.header())
                .setServiceId(ByteString.copyFromUtf8(service))
                .setTTL(ttl)
                .setMinSafePoint(log.read(s -> s.safePoints().txn()))
                .build();
    }

    GetGCStateResponse state(GetGCStateRequest request) {
        if (foreign(request.getKeyspaceScope())) {
            return GetGCStateResponse.newBuilder().setHeader(noKeyspace()).build();
        }
        long now = nowSeconds();
        GCState.Builder state =
                GCState.newBuilder()
                        .setKeyspaceScope(KeyspaceScope.newBuilder().setKeyspaceId(NULL_KEYSPACE));
        boolean barriers = !request.getExcludeGcBarriers();
        log.read(
                s -> {
                    state.setTxnSafePoint(s.safePoints().txn()).setGcSafePoint(s.safePoints().gc());
                    if (barriers) {
                        s.safePoints().barriers(now).forEach(b -> state.addGcBarriers(info(b)));
                    }
                    return state;
                });
        return GetGCStateResponse.newBuilder().setHeader(guard.header()).setGcState(state).build();
    }

    CompletableFuture<AdvanceTxnSafePointResponse> advance(AdvanceTxnSafePointRequest request) {
        AdvanceTxnSafePointResponse.Builder response = AdvanceTxnSafePointResponse.newBuilder();
        if (foreign(request.getKeyspaceScope())) {
            return CompletableFuture.completedFuture(response.setHeader(noKeyspace()).build());
        }
        return advanceTxn(request.getTarget(), true)
                .thenApply(
                        result -> {
                            if (result.hasFailure()) {
                                return response.setHeader(error(result)).build();
                            }
                            Barrier blocker = result.getSafePointAdvanced().getBlocker();
                            if (result.getSafePointAdvanced().hasBlocker()) {
                                response.setBlockerDescription(
                                        "GC barrier \""
                                                + blocker.getId()
                                                + "\" at "
                                                + Long.toUnsignedString(blocker.getTs()));
                            }
                            return response.setHeader(guard.header())
                                    .setOldTxnSafePoint(result.getSafePointAdvanced().getOldValue())
                                    .setNewTxnSafePoint(result.getSafePointAdvanced().getNewValue())
                                    .build();
                        });
    }

    CompletableFuture<AdvanceGCSafePointResponse> advance(AdvanceGCSafePointRequest request) {
        AdvanceGCSafePointResponse.Builder response = AdvanceGCSafePointResponse.newBuilder();
        if (foreign(request.getKeyspaceScope())) {
            return CompletableFuture.completedFuture(response.setHeader(noKeyspace()).build());
        }
        return advanceGc(request.getTarget(), true)
                .thenApply(
                        result ->
                                result.hasFailure()
                                        ? response.setHeader(error(result)).build()
                                        : response.setHeader(guard.header())
                                                .setOldGcSafePoint(
                                                        result.getSafePointAdvanced().getOldValue())
                                                .setNewGcSafePoint(
                                                        result.getSafePointAdvanced().getNewValue())
                                                .build());
    }

    CompletableFuture<SetGCBarrierResponse> set(SetGCBarrierRequest request) {
        SetGCBarrierResponse.Builder response = SetGCBarrierResponse.newBuilder();
        if (foreign(request.getKeyspaceScope())) {
            return CompletableFuture.completedFuture(response.setHeader(noKeyspace()).build());
        }
        if (request.getTtlSeconds() <= 0) {
            ResponseHeader header =
                    guard.error(
                            ErrorType.UNKNOWN,
                            "invalid argument for ttl: " + request.getTtlSeconds() + "s");
            return CompletableFuture.completedFuture(response.setHeader(header).build());
        }
        SetBarrier order =
                barrier(request.getBarrierId(), request.getBarrierTs(), request.getTtlSeconds());
        return log.submit(Command.newBuilder().setSetBarrier(order).build())
                .thenApply(
                        result ->
                                result.hasFailure()
                                        ? response.setHeader(error(result)).build()
                                        : response.setHeader(guard.header())
                                                .setNewBarrierInfo(info(result.getBarrier()))
                                                .build());
    }

    CompletableFuture<DeleteGCBarrierResponse> delete(DeleteGCBarrierRequest request) {
        DeleteGCBarrierResponse.Builder response = DeleteGCBarrierResponse.newBuilder();
        if (foreign(request.getKeyspaceScope())) {
            return CompletableFuture.completedFuture(response.setHeader(noKeyspace()).build());
        }
        DeleteBarrier order =
                DeleteBarrier.newBuilder()
                        .setId(request.getBarrierId())
                        .setNowSeconds(nowSeconds())
                        .build();
        return log.submit(Command.newBuilder().setDeleteBarrier(order).build())
                .thenApply(
                        result -> {
                            if (!result.getBarrier().getId().isEmpty()) {
                                response.setDeletedBarrierInfo(info(result.getBarrier()));
                            }
                            return response.setHeader(guard.header()).build();
                        });
    }

    GetExternalTimestampResponse external() {
        return GetExternalTimestampResponse.newBuilder()
                .setHeader(guard.header())
                .setTimestamp(log.read(s -> s.safePoints().external()))
                .build();
    }

    CompletableFuture<SetExternalTimestampResponse> setExternal(
            SetExternalTimestampRequest request) {
        SetExternalTimestampResponse.Builder response = SetExternalTimestampResponse.newBuilder();
        Command command =
                Command.newBuilder()
                        .setSetExternalTimestamp(
                                SetExternalTimestamp.newBuilder()
                                        .setTimestamp(request.getTimestamp()))
                        .build();
        return tso.next(1)
                .thenCompose(
                        now -> {
                            if (Long.compareUnsigned(request.getTimestamp(), now) > 0) {
                                String message =
                                        "the external timestamp should not be larger than global"
                                                + " ts";
                                return CompletableFuture.completedFuture(
                                        response.setHeader(
                                                        guard.error(
                                                                ErrorType.INVALID_VALUE, message))
                                                .build());
                            }
                            return log.submit(command)
                                    .thenApply(
                                            result ->
                                                    response.setHeader(
                                                                    result.hasFailure()
                                                                            ? guard.error(
                                                                                    ErrorType
                                                                                            .INVALID_VALUE,
                                                                                    result.getFailure()
                                                                                            .getMessage())
                                                                            : guard.header())
                                                            .build());
                        });
    }

    private CompletableFuture<Result> advanceTxn(long target, boolean strict) {
        return log.submit(
                Command.newBuilder()
                        .setAdvanceTxnSafePoint(
                                AdvanceTxnSafePoint.newBuilder()
                                        .setTarget(target)
                                        .setNowSeconds(nowSeconds())
                                        .setStrict(strict))
                        .build());
    }

    private CompletableFuture<Result> advanceGc(long target, boolean strict) {
        return log.submit(
                Command.newBuilder()
                        .setAdvanceGcSafePoint(
                                AdvanceGcSafePoint.newBuilder()
                                        .setTarget(target)
                                        .setNowSeconds(nowSeconds())
                                        .setStrict(strict))
                        .build());
    }

    private SetBarrier barrier(String id, long ts, long ttlSeconds) {
        long now = nowSeconds();
        boolean forEver = ttlSeconds > Long.MAX_VALUE - now;
        return SetBarrier.newBuilder()
                .setBarrier(
                        Barrier.newBuilder()
                                .setId(id)
                                .setTs(ts)
                                .setExpiresAtSeconds(forEver ? 0 : now + ttlSeconds))
                .setNowSeconds(now)
                .build();
    }

    private GCBarrierInfo info(Barrier barrier) {
        return GCBarrierInfo.newBuilder()
                .setBarrierId(barrier.getId())
                .setBarrierTs(barrier.getTs())
                .setTtlSeconds(ttl(barrier))
                .build();
    }

    private long ttl(Barrier barrier) {
        return barrier.getExpiresAtSeconds() == 0
                ? Long.MAX_VALUE
                : Math.max(0, barrier.getExpiresAtSeconds() - nowSeconds());
    }

    /** Of a keyspace that there is not; those that there are share the cluster's state. */
    private boolean foreign(KeyspaceScope scope) {
        int id = scope.getKeyspaceId();
        return scope.hasKeyspaceIdentity()
                || (id != NULL_KEYSPACE && !log.read(state -> Keyspaces.exists(state, id)));
    }

    private ResponseHeader noKeyspace() {
        return guard.error(
                ErrorType.UNKNOWN, "[PD:keyspace:ErrKeyspaceNotFound]keyspace does not exist");
    }

    private ResponseHeader error(Result result) {
        return guard.error(ErrorType.UNKNOWN, result.getFailure().getMessage());
    }

    private long nowSeconds() {
        return clock.wallMillis() / 1000;
    }

    private static RuntimeException unknown(String message) {
        return Status.UNKNOWN.withDescription(message).asRuntimeException();
    }
}
