package io.tidekv.wal.client;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.common.Invariants;
import io.tidekv.proto.wal.TailRequest;
import io.tidekv.proto.wal.TailResponse;
import org.jspecify.annotations.Nullable;

/** One Tail call. The node sends the next response only when it has been asked for. */
final class TailCall
        implements ClientResponseObserver<TailRequest, TailResponse>, WalLink.Following {
    private final WalLink.Follower follower;
    private @Nullable ClientCallStreamObserver<TailRequest> call;

    TailCall(WalLink.Follower follower) {
        this.follower = follower;
    }

    @Override
    public synchronized void beforeStart(ClientCallStreamObserver<TailRequest> stream) {
        call = stream;
        stream.disableAutoRequestWithInitial(1);
    }

    private synchronized ClientCallStreamObserver<TailRequest> call() {
        return Invariants.present(call, "call");
    }

    @Override
    public void next() {
        call().request(1);
    }

    @Override
    public void close() {
        call().cancel("not followed any more", null);
    }

    @Override
    public void onNext(TailResponse response) {
        follower.onEntries(response);
    }

    @Override
    public void onError(Throwable error) {
        Status status = Status.fromThrowable(error);
        String detail = status.getDescription();
        follower.onEnd(detail == null ? status.getCode().name() : detail);
    }

    @Override
    public void onCompleted() {
        follower.onEnd("the node has ended the stream");
    }
}
