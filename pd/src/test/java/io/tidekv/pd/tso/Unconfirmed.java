package io.tidekv.pd.tso;

import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.Result;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A leader that may be cut off from the others without knowing it. */
final class Unconfirmed implements StateLog {
    private final StateLog inner;
    boolean reachable = true;
    CompletableFuture<Void> asked = new CompletableFuture<>();

    Unconfirmed(StateLog inner) {
        this.inner = inner;
    }

    @Override
    public CompletableFuture<Result> submit(Command command) {
        return inner.submit(command);
    }

    @Override
    public <T> T read(Function<PdState, T> reader) {
        return inner.read(reader);
    }

    @Override
    public Leadership leadership() {
        return inner.leadership();
    }

    @Override
    public CompletableFuture<Void> confirmLeadership() {
        return reachable ? inner.confirmLeadership() : asked;
    }

    @Override
    public void onLeadershipChange(Runnable listener) {
        inner.onLeadershipChange(listener);
    }

    @Override
    public void close() {}
}
