package io.tidekv.pd.log;

import io.tidekv.pd.core.PdState;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.Result;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A log of one node that forgets everything. Applies at once, or step by step when {@linkplain
 * #hold held}. For tests and simulations.
 */
public final class MemoryStateLog implements StateLog {
    private record Waiting(Command command, CompletableFuture<Result> result) {}

    private final PdState state;
    private final Queue<Waiting> waiting = new ArrayDeque<>();
    private final List<Runnable> listeners = new ArrayList<>();
    private boolean held;
    private boolean leading = true;
    private long epoch = 1;

    public MemoryStateLog() {
        this(PdState.empty());
    }

    public MemoryStateLog(PdState state) {
        this.state = state;
    }

    @Override
    public synchronized CompletableFuture<Result> submit(Command command) {
        if (!leading) {
            return CompletableFuture.failedFuture(new NotLeaderException(""));
        }
        Waiting entry = new Waiting(command, new CompletableFuture<>());
        waiting.add(entry);
        if (!held) {
            release();
        }
        return entry.result;
    }

    /** From now on commands wait for {@link #release}. */
    public synchronized void hold() {
        held = true;
    }

    /** Applies what waits; later commands are applied at once again. */
    public synchronized void release() {
        held = false;
        Waiting next = waiting.poll();
        while (next != null) {
            Result result = state.apply(next.command);
            state.checkInvariants();
            next.result.complete(result);
            next = waiting.poll();
        }
    }

    /** Gains or loses leadership; waiting commands are lost with it. */
    public void setLeading(boolean leads) {
        List<Waiting> lost;
        synchronized (this) {
            leading = leads;
            epoch++;
            lost = List.copyOf(waiting);
            waiting.clear();
        }
        lost.forEach(w -> w.result.completeExceptionally(new NotLeaderException("")));
        listeners.forEach(Runnable::run);
    }

    @Override
    public synchronized <T> T read(Function<PdState, T> reader) {
        return reader.apply(state);
    }

    @Override
    public synchronized Leadership leadership() {
        return new Leadership(leading, epoch, leading ? "memory" : "");
    }

    @Override
    public CompletableFuture<Void> confirmLeadership() {
        return leadership().leading()
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(new NotLeaderException(""));
    }

    @Override
    public void onLeadershipChange(Runnable listener) {
        listeners.add(listener);
    }

    @Override
    public void close() {}
}
