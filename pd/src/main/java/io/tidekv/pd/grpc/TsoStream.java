package io.tidekv.pd.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.pd.tso.TsoService;
import io.tidekv.proto.pdpb.Timestamp;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import java.util.concurrent.CompletableFuture;

/**
 * A stream of timestamp requests. Each is answered with the last of its timestamps. A request that
 * is refused ends the stream, as PD does.
 */
final class TsoStream implements StreamObserver<TsoRequest> {
    private static final int LOGICAL_BITS = 18;

    private final TsoService tso;
    private final Guard guard;
    private final OneByOne<TsoRequest, TsoResponse> stream;

    TsoStream(ServerCallStreamObserver<TsoResponse> call, TsoService tso, Guard guard) {
        this.tso = tso;
        this.guard = guard;
        this.stream = new OneByOne<>(call, this::answer);
    }

    static Timestamp timestamp(long ts) {
        return Timestamp.newBuilder()
                .setPhysical(ts >>> LOGICAL_BITS)
                .setLogical(ts & ((1 << LOGICAL_BITS) - 1))
                .build();
    }

    private CompletableFuture<TsoResponse> answer(TsoRequest request) {
        guard.check(request.getHeader());
        int count = request.getCount();
        if (count < 1 || count > TsoService.COUNT_MAX) {
            throw Status.UNKNOWN
                    .withDescription(
                            "[PD:tso:ErrGenerateTimestamp]generate timestamp failed, tso count"
                                    + " should be positive and at most "
                                    + TsoService.COUNT_MAX)
                    .asRuntimeException();
        }
        return tso.next(count)
                .thenApply(
                        last ->
                                TsoResponse.newBuilder()
                                        .setHeader(guard.header())
                                        .setCount(count)
                                        .setTimestamp(timestamp(last))
                                        .build());
    }

    @Override
    public void onNext(TsoRequest request) {
        stream.onNext(request);
    }

    @Override
    public void onError(Throwable failure) {
        stream.onError(failure);
    }

    @Override
    public void onCompleted() {
        stream.onCompleted();
    }
}
