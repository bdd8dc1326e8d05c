package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.tidekv.common.Invariants;
import io.tidekv.compute.service.KvCore;
import io.tidekv.proto.kvrpcpb.BatchGetRequest;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.BroadcastTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.BroadcastTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.BufferBatchGetRequest;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CleanupRequest;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.DeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.FlashbackToVersionRequest;
import io.tidekv.proto.kvrpcpb.FlushRequest;
import io.tidekv.proto.kvrpcpb.GetHealthFeedbackRequest;
import io.tidekv.proto.kvrpcpb.GetHealthFeedbackResponse;
import io.tidekv.proto.kvrpcpb.GetLockWaitInfoRequest;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.HealthFeedback;
import io.tidekv.proto.kvrpcpb.MvccGetByKeyRequest;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.kvrpcpb.PrepareFlashbackToVersionRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchGetRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawBatchScanRequest;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawChecksumRequest;
import io.tidekv.proto.kvrpcpb.RawCoprocessorRequest;
import io.tidekv.proto.kvrpcpb.RawCoprocessorResponse;
import io.tidekv.proto.kvrpcpb.RawDeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.ScanRequest;
import io.tidekv.proto.kvrpcpb.SplitRegionRequest;
import io.tidekv.proto.kvrpcpb.StoreSafeTSResponse;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatRequest;
import io.tidekv.proto.kvrpcpb.UnsafeDestroyRangeRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request.CmdCase;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Every command that this store serves. What is not listed is UNIMPLEMENTED as a unary call, and
 * answered with an error inside BatchCommands ({@link DeclinedKinds}).
 */
final class CommandTable {
    private final List<KvCommand<?, ?>> commands = new ArrayList<>();
    private final Map<CmdCase, BatchKind<?, ?>> batched = new EnumMap<>(CmdCase.class);
    private final AtomicLong feedbackSeq = new AtomicLong();

    CommandTable(KvCore core) {
        addTransactional(core);
        addPessimistic(core);
        addLarge(core);
        addResolving(core);
        addRaw(core);
        addRawRanges(core);
        addStore(core);
        addFlashback(core);
    }

    List<KvCommand<?, ?>> commands() {
        return commands;
    }

    Map<CmdCase, BatchKind<?, ?>> batched() {
        return batched;
    }

    private void addTransactional(KvCore core) {
        var txn = core.txn();
        var get =
                add("kv_get", TikvGrpc.getKvGetMethod(), GetRequest::getContext, core.reads()::get);
        batch(CmdCase.GET, get, Request::getGet, Response.Builder::setGet);
        var batchGet =
                add(
                        "kv_batch_get",
                        TikvGrpc.getKvBatchGetMethod(),
                        BatchGetRequest::getContext,
                        core.reads()::batchGet);
        batch(CmdCase.BATCHGET, batchGet, Request::getBatchGet, Response.Builder::setBatchGet);
        var scan =
                add(
                        "kv_scan",
                        TikvGrpc.getKvScanMethod(),
                        ScanRequest::getContext,
                        core.reads()::scan);
        batch(CmdCase.SCAN, scan, Request::getScan, Response.Builder::setScan);
        var prewrite =
                add(
                        "kv_prewrite",
                        TikvGrpc.getKvPrewriteMethod(),
                        PrewriteRequest::getContext,
                        txn::prewrite);
        batch(CmdCase.PREWRITE, prewrite, Request::getPrewrite, Response.Builder::setPrewrite);
        var commit =
                add(
                        "kv_commit",
                        TikvGrpc.getKvCommitMethod(),
                        CommitRequest::getContext,
                        txn::commit);
        batch(CmdCase.COMMIT, commit, Request::getCommit, Response.Builder::setCommit);
        var heartBeat =
                add(
                        "kv_txn_heart_beat",
                        TikvGrpc.getKvTxnHeartBeatMethod(),
                        TxnHeartBeatRequest::getContext,
                        txn::heartBeat);
        batch(
                CmdCase.TXNHEARTBEAT,
                heartBeat,
                Request::getTxnHeartBeat,
                Response.Builder::setTxnHeartBeat);
    }

    private void addPessimistic(KvCore core) {
        var pessimistic = core.pessimistic();
        var lock =
                add(
                        "kv_pessimistic_lock",
                        TikvGrpc.getKvPessimisticLockMethod(),
                        PessimisticLockRequest::getContext,
                        pessimistic::lock);
        batch(
                CmdCase.PESSIMISTICLOCK,
                lock,
                Request::getPessimisticLock,
                Response.Builder::setPessimisticLock);
        var rollback =
                add(
                        "kv_pessimistic_rollback",
                        TikvGrpc.getKVPessimisticRollbackMethod(),
                        PessimisticRollbackRequest::getContext,
                        pessimistic::rollback);
        batch(
                CmdCase.PESSIMISTICROLLBACK,
                rollback,
                Request::getPessimisticRollback,
                Response.Builder::setPessimisticRollback);
        add(
                "get_lock_wait_info",
                TikvGrpc.getGetLockWaitInfoMethod(),
                GetLockWaitInfoRequest::getContext,
                pessimistic::waits);
    }

    private void addLarge(KvCore core) {
        var txn = core.txn();
        var secondaries =
                add(
                        "kv_check_secondary_locks",
                        TikvGrpc.getKvCheckSecondaryLocksMethod(),
                        CheckSecondaryLocksRequest::getContext,
                        core.resolving()::checkSecondaryLocks);
        batch(
                CmdCase.CHECKSECONDARYLOCKS,
                secondaries,
                Request::getCheckSecondaryLocks,
                Response.Builder::setCheckSecondaryLocks);
        var flush =
                add("kv_flush", TikvGrpc.getKvFlushMethod(), FlushRequest::getContext, txn::flush);
        batch(CmdCase.FLUSH, flush, Request::getFlush, Response.Builder::setFlush);
        var buffered =
                add(
                        "kv_buffer_batch_get",
                        TikvGrpc.getKvBufferBatchGetMethod(),
                        BufferBatchGetRequest::getContext,
                        core.reads()::bufferBatchGet);
        batch(
                CmdCase.BUFFERBATCHGET,
                buffered,
                Request::getBufferBatchGet,
                Response.Builder::setBufferBatchGet);
    }

    private void addResolving(KvCore core) {
        var rollback =
                add(
                        "kv_batch_rollback",
                        TikvGrpc.getKvBatchRollbackMethod(),
                        BatchRollbackRequest::getContext,
                        core.resolving()::batchRollback);
        batch(
                CmdCase.BATCHROLLBACK,
                rollback,
                Request::getBatchRollback,
                Response.Builder::setBatchRollback);
        var cleanup =
                add(
                        "kv_cleanup",
                        TikvGrpc.getKvCleanupMethod(),
                        CleanupRequest::getContext,
                        core.resolving()::cleanup);
        batch(CmdCase.CLEANUP, cleanup, Request::getCleanup, Response.Builder::setCleanup);
        var status =
                add(
                        "kv_check_txn_status",
                        TikvGrpc.getKvCheckTxnStatusMethod(),
                        CheckTxnStatusRequest::getContext,
                        core.resolving()::checkTxnStatus);
        batch(
                CmdCase.CHECKTXNSTATUS,
                status,
                Request::getCheckTxnStatus,
                Response.Builder::setCheckTxnStatus);
        var scanLock =
                add(
                        "kv_scan_lock",
                        TikvGrpc.getKvScanLockMethod(),
                        ScanLockRequest::getContext,
                        core.resolving()::scanLock);
        batch(CmdCase.SCANLOCK, scanLock, Request::getScanLock, Response.Builder::setScanLock);
        var resolve =
                add(
                        "kv_resolve_lock",
                        TikvGrpc.getKvResolveLockMethod(),
                        ResolveLockRequest::getContext,
                        core.resolving()::resolveLock);
        batch(
                CmdCase.RESOLVELOCK,
                resolve,
                Request::getResolveLock,
                Response.Builder::setResolveLock);
        var deleteRange =
                add(
                        "kv_delete_range",
                        TikvGrpc.getKvDeleteRangeMethod(),
                        DeleteRangeRequest::getContext,
                        core.txn()::deleteRange);
        batch(
                CmdCase.DELETERANGE,
                deleteRange,
                Request::getDeleteRange,
                Response.Builder::setDeleteRange);
        add(
                "mvcc_get_by_start_ts",
                TikvGrpc.getMvccGetByStartTsMethod(),
                MvccGetByStartTsRequest::getContext,
                core.resolving()::mvccGetByStartTs);
        add(
                "mvcc_get_by_key",
                TikvGrpc.getMvccGetByKeyMethod(),
                MvccGetByKeyRequest::getContext,
                core.resolving()::mvccGetByKey);
    }

    private void addRaw(KvCore core) {
        var raw = core.raw();
        var get = add("raw_get", TikvGrpc.getRawGetMethod(), RawGetRequest::getContext, raw::get);
        batch(CmdCase.RAWGET, get, Request::getRawGet, Response.Builder::setRawGet);
        var batchGet =
                add(
                        "raw_batch_get",
                        TikvGrpc.getRawBatchGetMethod(),
                        RawBatchGetRequest::getContext,
                        raw::batchGet);
        batch(
                CmdCase.RAWBATCHGET,
                batchGet,
                Request::getRawBatchGet,
                Response.Builder::setRawBatchGet);
        var put = add("raw_put", TikvGrpc.getRawPutMethod(), RawPutRequest::getContext, raw::put);
        batch(CmdCase.RAWPUT, put, Request::getRawPut, Response.Builder::setRawPut);
        var batchPut =
                add(
                        "raw_batch_put",
                        TikvGrpc.getRawBatchPutMethod(),
                        RawBatchPutRequest::getContext,
                        raw::batchPut);
        batch(
                CmdCase.RAWBATCHPUT,
                batchPut,
                Request::getRawBatchPut,
                Response.Builder::setRawBatchPut);
        var delete =
                add(
                        "raw_delete",
                        TikvGrpc.getRawDeleteMethod(),
                        RawDeleteRequest::getContext,
                        raw::delete);
        batch(CmdCase.RAWDELETE, delete, Request::getRawDelete, Response.Builder::setRawDelete);
        var batchDelete =
                add(
                        "raw_batch_delete",
                        TikvGrpc.getRawBatchDeleteMethod(),
                        RawBatchDeleteRequest::getContext,
                        raw::batchDelete);
        batch(
                CmdCase.RAWBATCHDELETE,
                batchDelete,
                Request::getRawBatchDelete,
                Response.Builder::setRawBatchDelete);
        add(
                "raw_get_key_ttl",
                TikvGrpc.getRawGetKeyTTLMethod(),
                RawGetKeyTTLRequest::getContext,
                raw::ttl);
        add(
                "raw_compare_and_swap",
                TikvGrpc.getRawCompareAndSwapMethod(),
                RawCASRequest::getContext,
                raw::compareAndSwap);
    }

    private void addRawRanges(KvCore core) {
        var raw = core.rawRanges();
        var scan =
                add("raw_scan", TikvGrpc.getRawScanMethod(), RawScanRequest::getContext, raw::scan);
        batch(CmdCase.RAWSCAN, scan, Request::getRawScan, Response.Builder::setRawScan);
        var batchScan =
                add(
                        "raw_batch_scan",
                        TikvGrpc.getRawBatchScanMethod(),
                        RawBatchScanRequest::getContext,
                        raw::batchScan);
        batch(
                CmdCase.RAWBATCHSCAN,
                batchScan,
                Request::getRawBatchScan,
                Response.Builder::setRawBatchScan);
        var deleteRange =
                add(
                        "raw_delete_range",
                        TikvGrpc.getRawDeleteRangeMethod(),
                        RawDeleteRangeRequest::getContext,
                        raw::deleteRange);
        batch(
                CmdCase.RAWDELETERANGE,
                deleteRange,
                Request::getRawDeleteRange,
                Response.Builder::setRawDeleteRange);
        add(
                "raw_checksum",
                TikvGrpc.getRawChecksumMethod(),
                RawChecksumRequest::getContext,
                raw::checksum);
        var coprocessor =
                add(
                        "raw_coprocessor",
                        TikvGrpc.getRawCoprocessorMethod(),
                        RawCoprocessorRequest::getContext,
                        request ->
                                done(
                                        RawCoprocessorResponse.newBuilder()
                                                .setError("Coprocessor plugin is disabled!")
                                                .build()));
        batch(
                CmdCase.RAWCOPROCESSOR,
                coprocessor,
                Request::getRawCoprocessor,
                Response.Builder::setRawCoprocessor);
    }

    private void addStore(KvCore core) {
        var store = core.store();
        add(
                "split_region",
                TikvGrpc.getSplitRegionMethod(),
                SplitRegionRequest::getContext,
                store::split);
        add(
                "unsafe_destroy_range",
                TikvGrpc.getUnsafeDestroyRangeMethod(),
                UnsafeDestroyRangeRequest::getContext,
                store::destroyRange);
        // No timestamp is known to be safe: stale reads go to the leader.
        add(
                "get_store_safe_ts",
                TikvGrpc.getGetStoreSafeTSMethod(),
                request -> Context.getDefaultInstance(),
                request -> done(StoreSafeTSResponse.getDefaultInstance()));
        add(
                "check_leader",
                TikvGrpc.getCheckLeaderMethod(),
                request -> Context.getDefaultInstance(),
                request -> done(store.agreed(request)));
        var health =
                add(
                        "get_health_feedback",
                        TikvGrpc.getGetHealthFeedbackMethod(),
                        GetHealthFeedbackRequest::getContext,
                        request -> done(feedback(store.storeId())));
        batch(
                CmdCase.GETHEALTHFEEDBACK,
                health,
                Request::getGetHealthFeedback,
                Response.Builder::setGetHealthFeedback);
        // A hint that spares readers a look at a large transaction's primary: they look.
        var broadcast =
                add(
                        "broadcast_txn_status",
                        TikvGrpc.getBroadcastTxnStatusMethod(),
                        BroadcastTxnStatusRequest::getContext,
                        request -> done(BroadcastTxnStatusResponse.getDefaultInstance()));
        batch(
                CmdCase.BROADCASTTXNSTATUS,
                broadcast,
                Request::getBroadcastTxnStatus,
                Response.Builder::setBroadcastTxnStatus);
    }

    private void addFlashback(KvCore core) {
        var prepare =
                add(
                        "kv_prepare_flashback_to_version",
                        TikvGrpc.getKvPrepareFlashbackToVersionMethod(),
                        PrepareFlashbackToVersionRequest::getContext,
                        core.flashback()::prepare);
        batch(
                CmdCase.PREPAREFLASHBACKTOVERSION,
                prepare,
                Request::getPrepareFlashbackToVersion,
                Response.Builder::setPrepareFlashbackToVersion);
        var flashback =
                add(
                        "kv_flashback_to_version",
                        TikvGrpc.getKvFlashbackToVersionMethod(),
                        FlashbackToVersionRequest::getContext,
                        core.flashback()::flashback);
        batch(
                CmdCase.FLASHBACKTOVERSION,
                flashback,
                Request::getFlashbackToVersion,
                Response.Builder::setFlashbackToVersion);
    }

    private GetHealthFeedbackResponse feedback(long storeId) {
        return GetHealthFeedbackResponse.newBuilder()
                .setHealthFeedback(
                        HealthFeedback.newBuilder()
                                .setStoreId(storeId)
                                .setFeedbackSeqNo(feedbackSeq.incrementAndGet())
                                .setSlowScore(1))
                .build();
    }

    @SuppressWarnings("unchecked") // a method's marshaller knows its type
    private <Q extends Message, A extends Message> KvCommand<Q, A> add(
            String label,
            MethodDescriptor<Q, A> method,
            Function<Q, Context> context,
            Function<Q, CompletableFuture<A>> handler) {
        var marshaller = (MethodDescriptor.PrototypeMarshaller<A>) method.getResponseMarshaller();
        A empty = Invariants.present(marshaller.getMessagePrototype(), label);
        KvCommand<Q, A> command = new KvCommand<>(label, method, empty, context, handler);
        commands.add(command);
        return command;
    }

    private <Q extends Message, A extends Message> void batch(
            CmdCase kind,
            KvCommand<Q, A> command,
            Function<Request, Q> unwrap,
            BiConsumer<Response.Builder, A> wrap) {
        batched.put(kind, new BatchKind<>(command, unwrap, wrap));
    }

    private static <A> CompletableFuture<A> done(A answer) {
        return CompletableFuture.completedFuture(answer);
    }
}
