package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.stub.StreamObserver;
import io.tidekv.pd.core.Keys;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.core.SafePointTable;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Members;
import io.tidekv.proto.etcdserverpb.ClusterGrpc;
import io.tidekv.proto.etcdserverpb.DeleteRangeRequest;
import io.tidekv.proto.etcdserverpb.DeleteRangeResponse;
import io.tidekv.proto.etcdserverpb.KVGrpc;
import io.tidekv.proto.etcdserverpb.MaintenanceGrpc;
import io.tidekv.proto.etcdserverpb.Member;
import io.tidekv.proto.etcdserverpb.MemberListRequest;
import io.tidekv.proto.etcdserverpb.MemberListResponse;
import io.tidekv.proto.etcdserverpb.PutRequest;
import io.tidekv.proto.etcdserverpb.PutResponse;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.etcdserverpb.RangeResponse;
import io.tidekv.proto.etcdserverpb.RequestOp;
import io.tidekv.proto.etcdserverpb.ResponseHeader;
import io.tidekv.proto.etcdserverpb.StatusRequest;
import io.tidekv.proto.etcdserverpb.StatusResponse;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.etcdserverpb.TxnResponse;
import io.tidekv.proto.mvccpb.KeyValue;
import io.tidekv.proto.pdstate.Command;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The part of etcd that clients of TiKV look at: the members, a small key space without leases and
 * watches, and in it the transaction safe point as a decimal under its key.
 */
public final class EtcdServices {
    private static final ByteString SAFE_POINT =
            ByteString.copyFromUtf8("/tidb/store/gcworker/saved_safe_point");

    private final StateLog log;
    private final Members members;
    private final Guard guard;

    public EtcdServices(StateLog log, Members members) {
        this.log = log;
        this.members = members;
        this.guard = new Guard(log);
    }

    public List<BindableService> all() {
        return List.of(new Cluster(), new Kv(), new Maintenance());
    }

    private ResponseHeader header() {
        return ResponseHeader.newBuilder()
                .setClusterId(log.read(PdState::clusterId))
                .setMemberId(members.self().getMemberId())
                .setRevision(log.read(PdState::revision))
                .setRaftTerm(log.leadership().epoch())
                .build();
    }

    private final class Cluster extends ClusterGrpc.ClusterImplBase {
        @Override
        public void memberList(MemberListRequest request, StreamObserver<MemberListResponse> call) {
            Answers.now(
                    call,
                    () -> {
                        MemberListResponse.Builder response =
                                MemberListResponse.newBuilder().setHeader(header());
                        members.all()
                                .forEach(
                                        m ->
                                                response.addMembers(
                                                        Member.newBuilder()
                                                                .setID(m.getMemberId())
                                                                .setName(m.getName())
                                                                .addAllPeerURLs(m.getPeerUrlsList())
                                                                .addAllClientURLs(
                                                                        m.getClientUrlsList())));
                        return response.build();
                    });
        }
    }

    private final class Kv extends KVGrpc.KVImplBase {
        @Override
        public void range(RangeRequest request, StreamObserver<RangeResponse> call) {
            Answers.now(
                    call,
                    () -> {
                        guard.leading();
                        RangeResponse.Builder response =
                                log.read(s -> s.keys().range(request)).toBuilder()
                                        .setHeader(EtcdServices.this.header());
                        long version = log.read(s -> s.safePoints().txnVersion());
                        if (version > 0 && covers(request)) {
                            addSafePoint(request, response);
                        }
                        return response.build();
                    });
        }

        /** What somebody has put under the safe point's key does not show. */
        private void addSafePoint(RangeRequest request, RangeResponse.Builder response) {
            RangeRequest key = RangeRequest.newBuilder().setKey(SAFE_POINT).build();
            if (log.read(s -> s.keys().range(key)).getCount() == 0) {
                response.setCount(response.getCount() + 1);
                if (!request.getCountOnly()) {
                    response.addKvs(safePoint(request.getKeysOnly()));
                }
                return;
            }
            for (int i = 0; i < response.getKvsCount(); i++) {
                if (response.getKvs(i).getKey().equals(SAFE_POINT)) {
                    response.setKvs(i, safePoint(request.getKeysOnly()));
                }
            }
        }

        @Override
        public void put(PutRequest request, StreamObserver<PutResponse> call) {
            RequestOp op = RequestOp.newBuilder().setRequestPut(request).build();
            change(
                    call,
                    only(op),
                    (done, header) ->
                            done.getResponses(0).getResponsePut().toBuilder()
                                    .setHeader(header)
                                    .build());
        }

        @Override
        public void deleteRange(
                DeleteRangeRequest request, StreamObserver<DeleteRangeResponse> call) {
            RequestOp op = RequestOp.newBuilder().setRequestDeleteRange(request).build();
            change(
                    call,
                    only(op),
                    (done, header) ->
                            done.getResponses(0).getResponseDeleteRange().toBuilder()
                                    .setHeader(header)
                                    .build());
        }

        @Override
        public void txn(TxnRequest request, StreamObserver<TxnResponse> call) {
            change(call, request, (done, header) -> done.toBuilder().setHeader(header).build());
        }

        private static TxnRequest only(RequestOp op) {
            return TxnRequest.newBuilder().addSuccess(op).build();
        }

        private <R> void change(
                StreamObserver<R> call,
                TxnRequest request,
                BiFunction<TxnResponse, ResponseHeader, R> answer) {
            Answers.later(
                    call,
                    () -> {
                        guard.leading();
                        return log.submit(Command.newBuilder().setChangeKeys(request).build())
                                .thenApply(Answers.accepted(r -> r.getKeysChanged()))
                                .thenApply(done -> answer.apply(done, header(done)));
                    });
        }

        private ResponseHeader header(TxnResponse done) {
            return EtcdServices.this.header().toBuilder()
                    .setRevision(done.getHeader().getRevision())
                    .build();
        }

        private KeyValue safePoint(boolean keysOnly) {
            return log.read(
                    state -> {
                        SafePointTable points = state.safePoints();
                        KeyValue.Builder kv =
                                KeyValue.newBuilder()
                                        .setKey(SAFE_POINT)
                                        .setCreateRevision(points.txnCreateRevision())
                                        .setModRevision(points.txnModRevision())
                                        .setVersion(points.txnVersion());
                        if (!keysOnly) {
                            kv.setValue(
                                    ByteString.copyFromUtf8(Long.toUnsignedString(points.txn())));
                        }
                        return kv.build();
                    });
        }

        /** In etcd an empty end means one key, and an end of one zero byte no bound. */
        private static boolean covers(RangeRequest request) {
            ByteString end = request.getRangeEnd();
            if (end.isEmpty()) {
                return request.getKey().equals(SAFE_POINT);
            }
            boolean unbounded = end.size() == 1 && end.byteAt(0) == 0;
            return Keys.contains(request.getKey(), unbounded ? ByteString.EMPTY : end, SAFE_POINT);
        }
    }

    private final class Maintenance extends MaintenanceGrpc.MaintenanceImplBase {
        @Override
        public void status(StatusRequest request, StreamObserver<StatusResponse> call) {
            Answers.now(
                    call,
                    () -> {
                        ResponseHeader header = header();
                        io.tidekv.proto.pdstate.Member leader = members.leader();
                        return StatusResponse.newBuilder()
                                .setHeader(header)
                                .setVersion("3.5.0")
                                .setLeader(leader == null ? 0 : leader.getMemberId())
                                .setRaftIndex(header.getRevision())
                                .setRaftAppliedIndex(header.getRevision())
                                .setRaftTerm(header.getRaftTerm())
                                .build();
                    });
        }
    }
}
