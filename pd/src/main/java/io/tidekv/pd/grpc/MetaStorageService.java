package io.tidekv.pd.grpc;

import io.grpc.stub.StreamObserver;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.etcdserverpb.DeleteRangeRequest;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.etcdserverpb.RangeResponse;
import io.tidekv.proto.etcdserverpb.RequestOp;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.etcdserverpb.TxnResponse;
import io.tidekv.proto.meta_storagepb.DeleteRequest;
import io.tidekv.proto.meta_storagepb.DeleteResponse;
import io.tidekv.proto.meta_storagepb.GetRequest;
import io.tidekv.proto.meta_storagepb.GetResponse;
import io.tidekv.proto.meta_storagepb.KeyValue;
import io.tidekv.proto.meta_storagepb.MetaStorageGrpc;
import io.tidekv.proto.meta_storagepb.PutRequest;
import io.tidekv.proto.meta_storagepb.PutResponse;
import io.tidekv.proto.meta_storagepb.ResponseHeader;
import io.tidekv.proto.pdstate.Command;
import java.util.function.Function;

/** PD's own face of the key space that {@link EtcdServices} shows; without watches. */
public final class MetaStorageService extends MetaStorageGrpc.MetaStorageImplBase {
    private final StateLog log;
    private final Guard guard;

    public MetaStorageService(StateLog log) {
        this.log = log;
        this.guard = new Guard(log);
    }

    @Override
    public void get(GetRequest request, StreamObserver<GetResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader().getClusterId());
                    RangeRequest range =
                            RangeRequest.newBuilder()
                                    .setKey(request.getKey())
                                    .setRangeEnd(request.getRangeEnd())
                                    .setLimit(request.getLimit())
                                    .build();
                    RangeResponse found = log.read(s -> s.keys().range(range));
                    GetResponse.Builder response =
                            GetResponse.newBuilder()
                                    .setHeader(header(log.read(PdState::revision)))
                                    .setMore(found.getMore())
                                    .setCount(found.getCount());
                    found.getKvsList()
                            .forEach(
                                    kv ->
                                            response.addKvs(
                                                    shown(kv).toBuilder()
                                                            .setCreateRevision(
                                                                    kv.getCreateRevision())
                                                            .setModRevision(kv.getModRevision())));
                    return response.build();
                });
    }

    @Override
    public void put(PutRequest request, StreamObserver<PutResponse> call) {
        RequestOp.Builder op = RequestOp.newBuilder();
        op.getRequestPutBuilder()
                .setKey(request.getKey())
                .setValue(request.getValue())
                .setLease(request.getLease())
                .setPrevKv(request.getPrevKv());
        change(
                call,
                request.getHeader().getClusterId(),
                op,
                done -> {
                    PutResponse.Builder response =
                            PutResponse.newBuilder().setHeader(header(revision(done)));
                    var put = done.getResponses(0).getResponsePut();
                    if (put.hasPrevKv()) {
                        response.setPrevKv(shown(put.getPrevKv()));
                    }
                    return response.build();
                });
    }

    @Override
    public void delete(DeleteRequest request, StreamObserver<DeleteResponse> call) {
        RequestOp.Builder op =
                RequestOp.newBuilder()
                        .setRequestDeleteRange(
                                DeleteRangeRequest.newBuilder()
                                        .setKey(request.getKey())
                                        .setRangeEnd(request.getRangeEnd())
                                        .setPrevKv(request.getPrevKv()));
        change(
                call,
                request.getHeader().getClusterId(),
                op,
                done -> {
                    // PD leaves the number of deleted keys unset.
                    DeleteResponse.Builder response =
                            DeleteResponse.newBuilder().setHeader(header(revision(done)));
                    done.getResponses(0)
                            .getResponseDeleteRange()
                            .getPrevKvsList()
                            .forEach(kv -> response.addPrevKvs(shown(kv)));
                    return response.build();
                });
    }

    private <R> void change(
            StreamObserver<R> call,
            long clusterId,
            RequestOp.Builder op,
            Function<TxnResponse, R> answer) {
        TxnRequest request = TxnRequest.newBuilder().addSuccess(op).build();
        Answers.later(
                call,
                () -> {
                    guard.check(clusterId);
                    return log.submit(Command.newBuilder().setChangeKeys(request).build())
                            .thenApply(Answers.accepted(r -> r.getKeysChanged()))
                            .thenApply(answer);
                });
    }

    private static long revision(TxnResponse done) {
        return done.getHeader().getRevision();
    }

    private static KeyValue shown(io.tidekv.proto.mvccpb.KeyValue kv) {
        return KeyValue.newBuilder().setKey(kv.getKey()).setValue(kv.getValue()).build();
    }

    private ResponseHeader header(long revision) {
        return ResponseHeader.newBuilder()
                .setClusterId(log.read(PdState::clusterId))
                .setRevision(revision)
                .build();
    }
}
