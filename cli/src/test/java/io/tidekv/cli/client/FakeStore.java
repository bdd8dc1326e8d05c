package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.LockInfo;
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
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/** A store in memory. Answers with the planned region errors first, one for each request. */
final class FakeStore extends TikvGrpc.TikvImplBase {
    final TreeMap<ByteString, ByteString> data =
            new TreeMap<>(ByteString.unsignedLexicographicalComparator());
    final Deque<Error> regionErrors = new ConcurrentLinkedDeque<>();
    final AtomicInteger batches = new AtomicInteger();
    final AtomicInteger batched = new AtomicInteger();
    final Deque<LockInfo> locks = new ArrayDeque<>();

    private final FakeCluster cluster;
    private final TreeMap<ByteString, ByteString> prewritten =
            new TreeMap<>(ByteString.unsignedLexicographicalComparator());

    FakeStore(FakeCluster cluster) {
        this.cluster = cluster;
    }

    private Error regionError(Context context) {
        Error planned = regionErrors.poll();
        if (planned != null) {
            return planned;
        }
        Error.Builder error = Error.newBuilder();
        if (context.getRegionEpoch().getVersion() != cluster.version.get()) {
            error.getEpochNotMatchBuilder();
        }
        return error.build();
    }

    private BatchCommandsResponse.Response handle(BatchCommandsRequest.Request request) {
        BatchCommandsResponse.Response.Builder response =
                BatchCommandsResponse.Response.newBuilder();
        synchronized (data) {
            switch (request.getCmdCase()) {
                case RAWPUT -> response.setRawPut(put(request.getRawPut()));
                case RAWBATCHPUT -> response.setRawBatchPut(putAll(request.getRawBatchPut()));
                case RAWGET -> response.setRawGet(get(request.getRawGet()));
                case RAWDELETE -> response.setRawDelete(delete(request.getRawDelete()));
                case RAWSCAN -> response.setRawScan(scan(request.getRawScan()));
                case PREWRITE -> response.setPrewrite(prewrite(request.getPrewrite()));
                case COMMIT -> response.setCommit(commit(request.getCommit()));
                case GET -> response.setGet(read(request.getGet()));
                case CHECKTXNSTATUS ->
                        response.setCheckTxnStatus(CheckTxnStatusResponse.getDefaultInstance());
                case RESOLVELOCK -> response.setResolveLock(resolve(request.getResolveLock()));
                default -> throw new IllegalArgumentException(request.getCmdCase().name());
            }
        }
        return response.build();
    }

    private RawPutResponse put(RawPutRequest q) {
        Error error = regionError(q.getContext());
        if (!error.equals(Error.getDefaultInstance())) {
            return RawPutResponse.newBuilder().setRegionError(error).build();
        }
        data.put(q.getKey(), q.getValue());
        return RawPutResponse.newBuilder()
                .setError(q.getTtl() > 0 ? "ttl is not enabled" : "")
                .build();
    }

    private RawBatchPutResponse putAll(RawBatchPutRequest q) {
        Error error = regionError(q.getContext());
        if (!error.equals(Error.getDefaultInstance())) {
            return RawBatchPutResponse.newBuilder().setRegionError(error).build();
        }
        q.getPairsList().forEach(pair -> data.put(pair.getKey(), pair.getValue()));
        return RawBatchPutResponse.getDefaultInstance();
    }

    private RawGetResponse get(RawGetRequest q) {
        Error error = regionError(q.getContext());
        if (!error.equals(Error.getDefaultInstance())) {
            return RawGetResponse.newBuilder().setRegionError(error).build();
        }
        ByteString value = data.get(q.getKey());
        return value == null
                ? RawGetResponse.newBuilder().setNotFound(true).build()
                : RawGetResponse.newBuilder().setValue(value).build();
    }

    private RawDeleteResponse delete(RawDeleteRequest q) {
        data.remove(q.getKey());
        return RawDeleteResponse.getDefaultInstance();
    }

    private RawScanResponse scan(RawScanRequest q) {
        RawScanResponse.Builder found = RawScanResponse.newBuilder();
        data.tailMap(q.getStartKey(), true)
                .forEach(
                        (key, value) -> {
                            boolean inside =
                                    q.getEndKey().isEmpty()
                                            || Route.compare(key, q.getEndKey()) < 0;
                            if (inside && found.getKvsCount() < q.getLimit()) {
                                found.addKvs(KvPair.newBuilder().setKey(key).setValue(value));
                            }
                        });
        return found.build();
    }

    private PrewriteResponse prewrite(PrewriteRequest q) {
        PrewriteResponse.Builder done = PrewriteResponse.newBuilder();
        if (!locks.isEmpty()) {
            return done.addErrors(locked()).build();
        }
        prewritten.put(q.getMutations(0).getKey(), q.getMutations(0).getValue());
        return done.build();
    }

    private CommitResponse commit(CommitRequest q) {
        if (q.getCommitVersion() <= q.getStartVersion()) {
            throw new IllegalStateException("committed before it began");
        }
        data.put(q.getKeys(0), prewritten.remove(q.getKeys(0)));
        return CommitResponse.getDefaultInstance();
    }

    private GetResponse read(GetRequest q) {
        if (!locks.isEmpty()) {
            return GetResponse.newBuilder().setError(locked()).build();
        }
        ByteString value = data.get(q.getKey());
        return value == null
                ? GetResponse.newBuilder().setNotFound(true).build()
                : GetResponse.newBuilder().setValue(value).build();
    }

    private io.tidekv.proto.kvrpcpb.KeyError locked() {
        return io.tidekv.proto.kvrpcpb.KeyError.newBuilder().setLocked(locks.element()).build();
    }

    private ResolveLockResponse resolve(ResolveLockRequest q) {
        locks.removeIf(lock -> lock.getLockVersion() == q.getStartVersion());
        return ResolveLockResponse.getDefaultInstance();
    }

    @Override
    public void rawPut(RawPutRequest request, StreamObserver<RawPutResponse> to) {
        synchronized (data) {
            FakeCluster.answer(to, put(request));
        }
    }

    @Override
    public void rawGet(RawGetRequest request, StreamObserver<RawGetResponse> to) {
        synchronized (data) {
            FakeCluster.answer(to, get(request));
        }
    }

    @Override
    public void rawDelete(RawDeleteRequest request, StreamObserver<RawDeleteResponse> to) {
        synchronized (data) {
            FakeCluster.answer(to, delete(request));
        }
    }

    @Override
    public void rawScan(RawScanRequest request, StreamObserver<RawScanResponse> to) {
        synchronized (data) {
            FakeCluster.answer(to, scan(request));
        }
    }

    @Override
    public StreamObserver<BatchCommandsRequest> batchCommands(
            StreamObserver<BatchCommandsResponse> to) {
        return new StreamObserver<>() {
            @Override
            public void onNext(BatchCommandsRequest batch) {
                batches.incrementAndGet();
                batched.addAndGet(batch.getRequestsCount());
                BatchCommandsResponse.Builder answers = BatchCommandsResponse.newBuilder();
                for (int i = batch.getRequestsCount() - 1; i >= 0; i--) {
                    answers.addRequestIds(batch.getRequestIds(i));
                    answers.addResponses(handle(batch.getRequests(i)));
                }
                to.onNext(answers.build());
            }

            @Override
            public void onError(Throwable t) {}

            @Override
            public void onCompleted() {
                to.onCompleted();
            }
        };
    }
}
