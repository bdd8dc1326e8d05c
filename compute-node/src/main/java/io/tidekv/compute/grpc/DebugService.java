package io.tidekv.compute.grpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.raw.RawCf;
import io.tidekv.compute.raw.RawException;
import io.tidekv.compute.service.Futures;
import io.tidekv.compute.service.StoreService;
import io.tidekv.proto.debugpb.DB;
import io.tidekv.proto.debugpb.DebugGrpc;
import io.tidekv.proto.debugpb.GetClusterInfoRequest;
import io.tidekv.proto.debugpb.GetClusterInfoResponse;
import io.tidekv.proto.debugpb.GetRequest;
import io.tidekv.proto.debugpb.GetResponse;
import io.tidekv.proto.debugpb.GetStoreInfoRequest;
import io.tidekv.proto.debugpb.GetStoreInfoResponse;
import io.tidekv.proto.debugpb.ScanMvccRequest;
import io.tidekv.proto.debugpb.ScanMvccResponse;
import io.tidekv.proto.kvrpcpb.APIVersion;

/** The part of debugpb.Debug that shows identity and stored bytes; the rest is UNIMPLEMENTED. */
final class DebugService extends DebugGrpc.DebugImplBase {
    /** TiKV puts this letter before every data key; ours have none. */
    private static final int DATA_PREFIX = 'z';

    private static final ByteString PREFIX = ByteString.copyFromUtf8("z");

    /** More keys are not shown at once, so that an answer has a bound. */
    private static final int ROWS_MAX = 1024;

    private final StoreService store;
    private final ApiMode mode;

    DebugService(StoreService store, ApiMode mode) {
        this.store = store;
        this.mode = mode;
    }

    @Override
    public void get(GetRequest request, StreamObserver<GetResponse> out) {
        ByteString key = request.getKey();
        if (request.getDb() != DB.KV || key.isEmpty() || key.byteAt(0) != DATA_PREFIX) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription("ask db KV for a key that begins with z")
                            .asRuntimeException());
            return;
        }
        Cf cf;
        try {
            cf = RawCf.of(request.getCf());
        } catch (RawException e) {
            out.onError(Status.INVALID_ARGUMENT.withDescription(e.text()).asRuntimeException());
            return;
        }
        store.stored(cf, key.substring(1).toByteArray())
                .whenComplete(
                        (value, error) -> {
                            if (error != null) {
                                out.onError(unavailable(error));
                            } else if (value.isEmpty()) {
                                out.onError(
                                        Status.NOT_FOUND
                                                .withDescription("there is no such key here")
                                                .asRuntimeException());
                            } else {
                                reply(out, GetResponse.newBuilder().setValue(value.get()).build());
                            }
                        });
    }

    /** Keys carry TiKV's letter, too. */
    @Override
    public void scanMvcc(ScanMvccRequest request, StreamObserver<ScanMvccResponse> out) {
        ByteString from = request.getFromKey();
        ByteString to = request.getToKey();
        boolean noData =
                from.isEmpty()
                        || from.byteAt(0) != DATA_PREFIX
                        || (!to.isEmpty() && to.byteAt(0) != DATA_PREFIX);
        if (noData || (to.isEmpty() && request.getLimit() == 0)) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription("give keys that begin with z, and an end or a limit")
                            .asRuntimeException());
            return;
        }
        long asked = request.getLimit();
        int limit = asked <= 0 || asked > ROWS_MAX ? ROWS_MAX : (int) asked;
        byte[] end = to.isEmpty() ? new byte[0] : to.substring(1).toByteArray();
        store.mvcc(from.substring(1).toByteArray(), end, limit)
                .whenComplete(
                        (rows, error) -> {
                            if (error != null) {
                                out.onError(unavailable(error));
                                return;
                            }
                            for (ScanMvccResponse row : rows) {
                                ByteString key = PREFIX.concat(row.getKey());
                                out.onNext(row.toBuilder().setKey(key).build());
                            }
                            out.onCompleted();
                        });
    }

    private static Throwable unavailable(Throwable error) {
        String reason = String.valueOf(Futures.unwrap(error).getMessage());
        return Status.UNAVAILABLE.withDescription(reason).asRuntimeException();
    }

    @Override
    public void getStoreInfo(
            GetStoreInfoRequest request, StreamObserver<GetStoreInfoResponse> out) {
        // Requests of V1TTL name V1, too.
        APIVersion version = mode == ApiMode.V2 ? APIVersion.V2 : APIVersion.V1;
        reply(
                out,
                GetStoreInfoResponse.newBuilder()
                        .setStoreId(store.storeId())
                        .setApiVersion(version)
                        .build());
    }

    @Override
    public void getClusterInfo(
            GetClusterInfoRequest request, StreamObserver<GetClusterInfoResponse> out) {
        reply(out, GetClusterInfoResponse.newBuilder().setClusterId(store.clusterId()).build());
    }

    private static <A> void reply(StreamObserver<A> out, A answer) {
        out.onNext(answer);
        out.onCompleted();
    }
}
