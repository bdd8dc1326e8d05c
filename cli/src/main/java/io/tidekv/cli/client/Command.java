package io.tidekv.cli.client;

import io.grpc.MethodDescriptor;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.BufferBatchGetRequest;
import io.tidekv.proto.kvrpcpb.BufferBatchGetResponse;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.FlushRequest;
import io.tidekv.proto.kvrpcpb.FlushResponse;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutResponse;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteResponse;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.RawScanResponse;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockResponse;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * One kind of call to a store: as a call of its own, and as a member of a batch.
 *
 * @param <Q> request
 * @param <A> answer
 */
record Command<Q, A>(
        MethodDescriptor<Q, A> method,
        BiConsumer<BatchCommandsRequest.Request.Builder, Q> wrap,
        Function<BatchCommandsResponse.Response, A> unwrap,
        Function<A, Error> regionError) {

    static final Command<RawPutRequest, RawPutResponse> RAW_PUT =
            new Command<>(
                    TikvGrpc.getRawPutMethod(),
                    BatchCommandsRequest.Request.Builder::setRawPut,
                    BatchCommandsResponse.Response::getRawPut,
                    RawPutResponse::getRegionError);
    static final Command<RawBatchPutRequest, RawBatchPutResponse> RAW_BATCH_PUT =
            new Command<>(
                    TikvGrpc.getRawBatchPutMethod(),
                    BatchCommandsRequest.Request.Builder::setRawBatchPut,
                    BatchCommandsResponse.Response::getRawBatchPut,
                    RawBatchPutResponse::getRegionError);
    static final Command<RawGetRequest, RawGetResponse> RAW_GET =
            new Command<>(
                    TikvGrpc.getRawGetMethod(),
                    BatchCommandsRequest.Request.Builder::setRawGet,
                    BatchCommandsResponse.Response::getRawGet,
                    RawGetResponse::getRegionError);
    static final Command<RawDeleteRequest, RawDeleteResponse> RAW_DELETE =
            new Command<>(
                    TikvGrpc.getRawDeleteMethod(),
                    BatchCommandsRequest.Request.Builder::setRawDelete,
                    BatchCommandsResponse.Response::getRawDelete,
                    RawDeleteResponse::getRegionError);
    static final Command<RawScanRequest, RawScanResponse> RAW_SCAN =
            new Command<>(
                    TikvGrpc.getRawScanMethod(),
                    BatchCommandsRequest.Request.Builder::setRawScan,
                    BatchCommandsResponse.Response::getRawScan,
                    RawScanResponse::getRegionError);
    static final Command<GetRequest, GetResponse> GET =
            new Command<>(
                    TikvGrpc.getKvGetMethod(),
                    BatchCommandsRequest.Request.Builder::setGet,
                    BatchCommandsResponse.Response::getGet,
                    GetResponse::getRegionError);
    static final Command<PrewriteRequest, PrewriteResponse> PREWRITE =
            new Command<>(
                    TikvGrpc.getKvPrewriteMethod(),
                    BatchCommandsRequest.Request.Builder::setPrewrite,
                    BatchCommandsResponse.Response::getPrewrite,
                    PrewriteResponse::getRegionError);
    static final Command<CommitRequest, CommitResponse> COMMIT =
            new Command<>(
                    TikvGrpc.getKvCommitMethod(),
                    BatchCommandsRequest.Request.Builder::setCommit,
                    BatchCommandsResponse.Response::getCommit,
                    CommitResponse::getRegionError);
    static final Command<CheckTxnStatusRequest, CheckTxnStatusResponse> CHECK_TXN_STATUS =
            new Command<>(
                    TikvGrpc.getKvCheckTxnStatusMethod(),
                    BatchCommandsRequest.Request.Builder::setCheckTxnStatus,
                    BatchCommandsResponse.Response::getCheckTxnStatus,
                    CheckTxnStatusResponse::getRegionError);
    static final Command<ResolveLockRequest, ResolveLockResponse> RESOLVE_LOCK =
            new Command<>(
                    TikvGrpc.getKvResolveLockMethod(),
                    BatchCommandsRequest.Request.Builder::setResolveLock,
                    BatchCommandsResponse.Response::getResolveLock,
                    ResolveLockResponse::getRegionError);

    static final Command<FlushRequest, FlushResponse> FLUSH =
            new Command<>(
                    TikvGrpc.getKvFlushMethod(),
                    BatchCommandsRequest.Request.Builder::setFlush,
                    BatchCommandsResponse.Response::getFlush,
                    FlushResponse::getRegionError);
    static final Command<BufferBatchGetRequest, BufferBatchGetResponse> BUFFER_BATCH_GET =
            new Command<>(
                    TikvGrpc.getKvBufferBatchGetMethod(),
                    BatchCommandsRequest.Request.Builder::setBufferBatchGet,
                    BatchCommandsResponse.Response::getBufferBatchGet,
                    BufferBatchGetResponse::getRegionError);

    BatchCommandsRequest.Request inBatch(Q request) {
        BatchCommandsRequest.Request.Builder wrapped = BatchCommandsRequest.Request.newBuilder();
        wrap.accept(wrapped, request);
        return wrapped.build();
    }
}
