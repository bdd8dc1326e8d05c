package io.tidekv.compute.service;

import io.tidekv.common.codec.CodecException;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WouldBlock;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.Access;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.txn.Outcome;
import io.tidekv.compute.txn.Released;
import io.tidekv.proto.kvrpcpb.Context;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs commands: checks, latches, snapshot, evaluation, proposal. Nothing here blocks a caller; an
 * evaluation runs on the caller's thread when it is short and its snapshot never waits, otherwise
 * on a worker. Every future completes exactly once, with a response or with a {@link KvException}.
 */
final class Runner implements AutoCloseable {
    private static final int LATCH_SLOTS = 2048;
    private static final long BUSY_BACKOFF_MS = 100;
    private static final Duration SETTLE_AGAIN = Duration.ofMillis(500);

    private final RegionAccess regions;
    private final KvSettings settings;
    private final Clock clock;
    private final Scheduler scheduler;
    private final RequestChecks checks;
    private final Latches latches;
    private final ExecutorService workers;
    private volatile Consumer<List<Released>> released = locks -> {};

    Runner(
            RegionAccess regions,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler,
            ExecutorService workers) {
        this.regions = regions;
        this.settings = settings;
        this.clock = clock;
        this.scheduler = scheduler;
        checks = new RequestChecks(regions);
        latches = new Latches(LATCH_SLOTS, settings.latchesWaiting());
        this.workers = workers;
    }

    /** How much an evaluation does. */
    enum Cost {
        /** A few keys: may run where the request came in. */
        POINT,
        /** A range or many keys: always on a worker. */
        RANGE
    }

    /** Evaluates a read over a snapshot. */
    interface Read<R> {
        R eval(Target target, KvSnapshot snapshot);
    }

    /** Evaluates a command over a snapshot taken under its latches. */
    interface Command<R> {
        Outcome<R> eval(Target target, KvSnapshot snapshot);
    }

    RequestChecks checks() {
        return checks;
    }

    RegionAccess regions() {
        return regions;
    }

    <R> CompletableFuture<R> read(Context context, Cost cost, Read<R> read) {
        return read(context, Access.ANY, cost, read);
    }

    /** As the other, at a timestamp, which a region that a flashback has shut may still serve. */
    <R> CompletableFuture<R> read(Context context, Access access, Cost cost, Read<R> read) {
        try {
            Deadline deadline = Deadline.of(context, clock);
            Target target = checks.check(context);
            return readTarget(
                    target,
                    access,
                    cost,
                    view -> {
                        deadline.check(clock);
                        return read.eval(target, view);
                    });
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** As {@link #read}, of a region that was checked before. */
    <R> CompletableFuture<R> readTarget(Target target, Cost cost, Function<KvSnapshot, R> read) {
        return evaluateRead(target, target.region().read(target.version()), cost, read);
    }

    private <R> CompletableFuture<R> readTarget(
            Target target, Access access, Cost cost, Function<KvSnapshot, R> read) {
        return evaluateRead(target, target.region().read(target.version(), access), cost, read);
    }

    private <R> CompletableFuture<R> evaluateRead(
            Target target,
            CompletableFuture<KvSnapshot> snapshot,
            Cost cost,
            Function<KvSnapshot, R> read) {
        boolean inPlace = cost == Cost.POINT && snapshot.isDone();
        if (inPlace && !snapshot.isCompletedExceptionally()) {
            KvSnapshot view = snapshot.join();
            if (!view.mayBlock()) {
                return atOnce(target, view, read);
            }
            CompletableFuture<R> answer = withoutWaiting(target, view, read);
            if (answer != null) {
                return answer;
            }
        }
        return snapshot.thenCompose(
                view -> evaluate(target, view, inPlace, () -> read.apply(view)));
    }

    /** Null when it has to wait: the snapshot is then open, and as it was. */
    private static <R> @Nullable CompletableFuture<R> withoutWaiting(
            Target target, KvSnapshot snapshot, Function<KvSnapshot, R> read) {
        boolean done = true;
        try {
            snapshot.waits(false);
            return CompletableFuture.completedFuture(read.apply(snapshot));
        } catch (WouldBlock e) {
            snapshot.waits(true);
            done = false;
            return null;
        } catch (CodecException e) {
            return CompletableFuture.failedFuture(damaged(target, e));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        } finally {
            if (done) {
                snapshot.close();
            }
        }
    }

    private static <R> CompletableFuture<R> atOnce(
            Target target, KvSnapshot snapshot, Function<KvSnapshot, R> read) {
        try (snapshot) {
            return CompletableFuture.completedFuture(read.apply(snapshot));
        } catch (CodecException e) {
            return CompletableFuture.failedFuture(damaged(target, e));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    Clock clock() {
        return clock;
    }

    /**
     * Batches that need no reading, one after the other, to a region that was checked before;
     * latches only order them with commands that do read. What fails ends the row; the batches
     * before it stand.
     */
    CompletableFuture<Void> blindWrite(
            Target target,
            Deadline deadline,
            Collection<byte[]> latchKeys,
            Iterator<WriteBatchBuilder> batches) {
        if (latchKeys.isEmpty()) {
            return proposeAll(target, deadline, batches);
        }
        return latched(
                target,
                latchKeys,
                deadline,
                inPlace -> {
                    deadline.check(clock);
                    return proposeAll(target, deadline, batches);
                });
    }

    private CompletableFuture<Void> proposeAll(
            Target target, Deadline deadline, Iterator<WriteBatchBuilder> batches) {
        if (!batches.hasNext()) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> written = propose(target, batches.next());
        if (!batches.hasNext()) {
            return written;
        }
        return written.thenComposeAsync(
                done -> {
                    deadline.check(clock);
                    return proposeAll(target, deadline, batches);
                },
                this::soon);
    }

    /** Not on the thread that applies, unless there is no other. */
    private void soon(Runnable work) {
        try {
            workers.execute(work);
        } catch (RejectedExecutionException e) {
            work.run();
        }
    }

    /** A command that reads before it writes; serial with others on the same keys. */
    <R> CompletableFuture<R> write(
            Context context, Collection<byte[]> latchKeys, Command<R> command) {
        try {
            Deadline deadline = Deadline.of(context, clock);
            return writeTarget(checks.check(context), deadline, latchKeys, command);
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** As {@link #write}, to a region that was checked before. */
    <R> CompletableFuture<R> writeTarget(
            Target target, Deadline deadline, Collection<byte[]> latchKeys, Command<R> command) {
        return latched(
                target,
                latchKeys,
                deadline,
                inPlace -> underLatches(target, deadline, inPlace, command));
    }

    private <R> CompletableFuture<R> underLatches(
            Target target, Deadline deadline, boolean inPlace, Command<R> command) {
        deadline.check(clock);
        CompletableFuture<KvSnapshot> snapshot = target.region().read(target.version());
        boolean atOnce = inPlace && snapshot.isDone();
        CompletableFuture<Outcome<R>> outcome =
                snapshot.thenCompose(
                        view -> evaluate(target, view, atOnce, () -> command.eval(target, view)));
        return outcome.thenCompose(result -> finish(target, deadline, result));
    }

    private <R> CompletableFuture<R> finish(Target target, Deadline deadline, Outcome<R> outcome) {
        WriteBatchBuilder batch = outcome.batch();
        if (batch == null) {
            return CompletableFuture.completedFuture(outcome.response());
        }
        CompletableFuture<Void> applied;
        try {
            deadline.check(clock);
            applied = propose(target, batch);
        } catch (RuntimeException e) {
            outcome.memoryLocks().close();
            throw e;
        }
        return applied.handle(
                (done, error) -> {
                    if (error != null && isUndetermined(error)) {
                        // The batch may still be applied: until then readers must meet its locks.
                        settled(target).thenRun(outcome.memoryLocks()::close);
                    } else {
                        outcome.memoryLocks().close();
                    }
                    if (error != null) {
                        throw error instanceof RuntimeException failure
                                ? failure
                                : new CompletionException(error);
                    }
                    if (!outcome.released().isEmpty()) {
                        released.accept(outcome.released());
                    }
                    return outcome.response();
                });
    }

    private static boolean isUndetermined(Throwable error) {
        return Futures.unwrap(error) instanceof KvException known
                && known.error() instanceof KvError.Undetermined;
    }

    /**
     * Completes when nothing written before can be applied by this leader any more without a later
     * read seeing it: an empty batch has been applied behind it, or the term is over.
     */
    private CompletableFuture<Void> settled(Target target) {
        CompletableFuture<Void> result = new CompletableFuture<>();
        settle(target, result);
        return result;
    }

    private void settle(Target target, CompletableFuture<Void> result) {
        target.region()
                .write(target.version(), new WriteBatchBuilder())
                .whenComplete(
                        (applied, error) -> {
                            Throwable cause = error == null ? null : Futures.unwrap(error);
                            KvError known =
                                    cause instanceof KvException failure ? failure.error() : null;
                            if (known instanceof KvError.Undetermined
                                    || known instanceof KvError.ServerIsBusy) {
                                scheduler.after(SETTLE_AGAIN, () -> settle(target, result));
                            } else {
                                result.complete(null);
                            }
                        });
    }

    /** Who is told of locks that are gone; set before the first request. */
    void onReleased(Consumer<List<Released>> listener) {
        released = listener;
    }

    /** For work that must not run where it was caused. */
    Executor workers() {
        return workers;
    }

    /** Closes the snapshot in any case. */
    private <R> CompletableFuture<R> evaluate(
            Target target, KvSnapshot snapshot, boolean inPlace, Supplier<R> work) {
        CompletableFuture<R> result = new CompletableFuture<>();
        Runnable run =
                () -> {
                    try (snapshot) {
                        result.complete(work.get());
                    } catch (CodecException e) {
                        result.completeExceptionally(damaged(target, e));
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                };
        if (inPlace && !snapshot.mayBlock()) {
            run.run();
        } else {
            try {
                workers.execute(run);
            } catch (RejectedExecutionException e) {
                snapshot.close();
                result.completeExceptionally(busy());
            }
        }
        return result;
    }

    /** Throws when no entry of {@code bytes} is taken. */
    void checkSize(Target target, long bytes) {
        if (bytes > settings.entryBytes()) {
            long region = target.shape().getRegionId();
            throw new KvException(
                    new KvError.EntryTooLarge(
                            region,
                            bytes,
                            "raft entry is too large, region "
                                    + region
                                    + ", entry size "
                                    + bytes
                                    + ": write less at once"));
        }
    }

    CompletableFuture<Void> propose(Target target, WriteBatchBuilder batch) {
        checkSize(target, batch.sizeBytes());
        return target.region().write(target.version(), batch);
    }

    /** Runs {@code work} while holding latches; its argument says whether it may run in place. */
    private <R> CompletableFuture<R> latched(
            Target target,
            Collection<byte[]> keys,
            Deadline deadline,
            Function<Boolean, CompletableFuture<R>> work) {
        LatchedRun<R> run =
                new LatchedRun<>(work, error -> isUndetermined(error) ? settled(target) : null);
        Latches.Ticket ticket =
                latches.acquire(latches.slots(keys), granted -> run.onWorker(granted, workers));
        if (ticket.isGrantedAtOnce()) {
            run.start(ticket, true);
        } else {
            run.expireAt(scheduler, deadline.left(clock), ticket);
        }
        return run.result();
    }

    static KvException busy() {
        return new KvException(
                new KvError.ServerIsBusy("too many requests are queued", BUSY_BACKOFF_MS));
    }

    private static KvException damaged(Target target, CodecException e) {
        return new KvException(
                new KvError.RegionUnavailable(
                        target.shape().getRegionId(),
                        "",
                        "a stored record of region "
                                + target.shape().getRegionId()
                                + " is damaged: "
                                + e.getMessage()));
    }

    @Override
    public void close() {
        workers.shutdown();
    }
}
