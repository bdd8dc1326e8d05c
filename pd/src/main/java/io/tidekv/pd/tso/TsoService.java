package io.tidekv.pd.tso;

import io.tidekv.common.time.Clock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.ExtendTso;
import io.tidekv.proto.pdstate.Result;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gives out timestamps while this node leads. Most requests are answered at once; one waits when
 * leadership must be confirmed or the bound extended, and those after it wait behind it.
 *
 * <p>A deposed leader that does not know it yet must not go on, though all its timestamps are below
 * its successor's: a client would see time go back. So leadership is confirmed by a majority, and
 * that confirmation is good for less than the shortest election, counted from when it was asked
 * for. Thread-safe.
 */
public final class TsoService {
    /** Most timestamps that one request can ask for. */
    public static final int COUNT_MAX = TsoOracle.COUNT_MAX;

    private static final int WAITING_MAX = 10_000;

    /** Longer than the log takes to say that it has no majority. */
    private static final long WAIT_SECONDS = 15;

    private record Waiting(int count, CompletableFuture<Long> answer) {}

    private final StateLog log;
    private final Clock clock;
    private final long confirmedNanos;
    private final TsoOracle oracle = new TsoOracle();
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long epoch = -1;
    private long confirmedUntil;
    private boolean confirming;
    private boolean extending;
    private long issued;

    /**
     * @param confirmedFor how long a confirmed leadership is relied on
     */
    public TsoService(StateLog log, Clock clock, Duration confirmedFor) {
        this.log = log;
        this.clock = clock;
        this.confirmedNanos = confirmedFor.toNanos();
    }

    /**
     * The last of {@code count} timestamps in a row, none of which has been given out before. Fails
     * with {@link NotLeaderException} when another node leads, {@link IllegalStateException} when
     * too many wait, {@link java.util.concurrent.TimeoutException} when the log does not answer.
     */
    public CompletableFuture<Long> next(int count) {
        CompletableFuture<Long> answer = new CompletableFuture<>();
        List<Runnable> after = new ArrayList<>();
        synchronized (this) {
            if (waiting.size() >= WAITING_MAX) {
                return CompletableFuture.failedFuture(
                        new IllegalStateException("too many requests wait for timestamps"));
            }
            waiting.add(new Waiting(count, answer));
            serve(after);
        }
        after.forEach(Runnable::run);
        return answer.isDone() ? answer : answer.orTimeout(WAIT_SECONDS, TimeUnit.SECONDS);
    }

    /** How many timestamps this node has given out. */
    public synchronized long issued() {
        return issued;
    }

    /** Answers from the front of the queue as far as possible, and sees to what is missing. */
    private void serve(List<Runnable> after) {
        Leadership leadership = log.leadership();
        if (!leadership.leading()) {
            fail(new NotLeaderException(leadership.leader()), after);
            return;
        }
        if (leadership.epoch() != epoch) {
            epoch = leadership.epoch();
            oracle.begin(log.read(PdState::tsoBoundMillis));
            confirmedUntil = clock.monotonicNanos();
            confirming = false;
            extending = false;
        }
        if (confirmedUntil - clock.monotonicNanos() <= 0) {
            confirm(after);
            return;
        }
        long wall = clock.wallMillis();
        Waiting next = waiting.peek();
        while (next != null) {
            long last = oracle.allocate(next.count, wall);
            if (last == TsoOracle.NEEDS_BOUND) {
                extend(wall, after);
                return;
            }
            issued += next.count;
            CompletableFuture<Long> answer = next.answer;
            after.add(() -> answer.complete(last));
            waiting.remove();
            next = waiting.peek();
        }
        if (oracle.nearBound(wall)) {
            extend(wall, after);
        }
    }

    private void confirm(List<Runnable> after) {
        if (confirming) {
            return;
        }
        confirming = true;
        long reign = epoch;
        long asked = clock.monotonicNanos();
        after.add(
                () ->
                        log.confirmLeadership()
                                .whenComplete((done, e) -> confirmed(reign, asked, e)));
    }

    private void confirmed(long reign, long asked, @Nullable Throwable failure) {
        List<Runnable> after = new ArrayList<>();
        synchronized (this) {
            if (reign == epoch) {
                confirming = false;
                if (failure == null) {
                    confirmedUntil = asked + confirmedNanos;
                    serve(after);
                } else {
                    fail(failure, after);
                }
            }
        }
        after.forEach(Runnable::run);
    }

    private void extend(long wall, List<Runnable> after) {
        if (extending) {
            return;
        }
        extending = true;
        long reign = epoch;
        Command command =
                Command.newBuilder()
                        .setExtendTso(
                                ExtendTso.newBuilder().setBoundMillis(oracle.wantedBound(wall)))
                        .build();
        after.add(() -> log.submit(command).whenComplete((r, e) -> extended(reign, r, e)));
    }

    private void extended(long reign, @Nullable Result result, @Nullable Throwable failure) {
        List<Runnable> after = new ArrayList<>();
        synchronized (this) {
            if (reign == epoch) {
                extending = false;
                if (result != null) {
                    oracle.extended(result.getTsoExtended().getBoundMillis());
                    serve(after);
                } else if (failure != null) {
                    fail(failure, after);
                }
            }
        }
        after.forEach(Runnable::run);
    }

    private void fail(Throwable failure, List<Runnable> after) {
        for (Waiting request : waiting) {
            after.add(() -> request.answer.completeExceptionally(failure));
        }
        waiting.clear();
    }
}
