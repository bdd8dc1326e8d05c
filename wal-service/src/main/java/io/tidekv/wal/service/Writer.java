package io.tidekv.wal.service;

import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageDamageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rounds: take what has arrived, let the voters handle it, commit once, answer. When the disk
 * fails, all it was about to say becomes STORAGE_FAILED, and voters and storage are built anew from
 * what the disk holds for certain.
 *
 * <p>A round belongs to whoever has the turn: the writer's own thread, or, while there is little to
 * do, the thread that has brought the requests, which saves two changes of thread per append. Only
 * who has the turn takes from the inbox, so requests are handled in the order of arrival.
 */
final class Writer implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(Writer.class);

    private final Inbox inbox;
    private final ServiceOptions options;
    private final Clock clock;
    private final Randomness randomness;
    private final WalMetrics metrics;
    private final Reopening reopening;
    private final @Nullable SegmentArchive archive;
    private final ReentrantLock turn = new ReentrantLock();
    // All below is used by who has the turn, but for what is volatile.
    private final List<TailFeed> tails = new ArrayList<>();
    private final List<Inbox.Item> items = new ArrayList<>();
    private SegmentStore store;
    private VoterNode node;
    private long lastCommitNanos;
    private long lastTickNanos;
    private long lastAskedNanos;
    private long lastSealedNanos;
    private long lastTidiedNanos;
    private long offeredBefore;
    private boolean over;
    private boolean ended;
    private int learners;
    private volatile boolean light;
    private volatile String problem = "";
    private volatile boolean full;

    Writer(
            Inbox inbox,
            SegmentStore store,
            ServiceOptions options,
            Clock clock,
            Randomness randomness,
            WalMetrics metrics,
            Reopening reopening,
            @Nullable SegmentArchive archive) {
        this.reopening = reopening;
        this.archive = archive;
        this.inbox = inbox;
        this.store = store;
        this.options = options;
        this.clock = clock;
        this.randomness = randomness;
        this.metrics = metrics;
        node = recoverVoters();
        lastTickNanos = clock.monotonicNanos();
        lastCommitNanos = lastTickNanos;
        lastAskedNanos = lastTickNanos;
        lastSealedNanos = lastTickNanos;
        lastTidiedNanos = lastTickNanos;
        hold();
    }

    private VoterNode recoverVoters() {
        long firstSession = randomness.nextLong(1, Long.MAX_VALUE / 2);
        return new VoterNode(store, VoterRules.RIGHT, firstSession, clock.read());
    }

    /** Why nothing is served; empty when all is well. Thread-safe. */
    String problem() {
        return problem;
    }

    /** Whether entries are refused for want of space; all else is served. Thread-safe. */
    boolean isFull() {
        return full;
    }

    /** Whether so little came of late that a round may be run by who brings the next requests. */
    boolean isLight() {
        return light;
    }

    @Override
    public void run() {
        try {
            while (inbox.await(ServiceOptions.TICK)) {
                turn.lock();
                try {
                    takeTurn();
                    tidy(true);
                } finally {
                    turn.unlock();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            end();
        }
    }

    /**
     * Runs a round on the calling thread, unless one is being run; then, and for what is left, the
     * writer's own thread is woken. What no answer waits for is left to a later task of {@code
     * here}, behind those that send the answers, and not done after every round.
     */
    void runHere(Executor here) {
        boolean tidy = false;
        if (turn.tryLock()) {
            try {
                if (!ended && !inbox.isEmpty()) {
                    takeTurn();
                    long sinceTidied = clock.monotonicNanos() - lastTidiedNanos;
                    tidy = sinceTidied >= ServiceOptions.TIDY_PAUSE_NANOS;
                }
            } finally {
                turn.unlock();
            }
        }
        inbox.wake();
        if (tidy) {
            here.execute(this::tidyHere);
        }
    }

    /** Unless a round is being run: whoever runs it sees to the same. */
    private void tidyHere() {
        if (turn.tryLock()) {
            try {
                if (!ended) {
                    tidy(false);
                }
            } finally {
                turn.unlock();
            }
        }
    }

    private void takeTurn() {
        items.clear();
        inbox.poll(items, ServiceOptions.ROUND_BYTES_MAX);
        try {
            round(items);
        } catch (RuntimeException | Error e) {
            broken(e);
        }
    }

    private void tidy(boolean ticks) {
        try {
            afterRound(ticks);
        } catch (RuntimeException | Error e) {
            broken(e);
        }
    }

    private void end() {
        turn.lock();
        try {
            ended = true;
            store.close();
        } catch (IOException e) {
            log.warn("closing the segments failed", e);
        } finally {
            turn.unlock();
        }
    }

    private void round(List<Inbox.Item> items) {
        Round round = new Round();
        int count = 0;
        long bytes = 0;
        Clock.Reading now = clock.read();
        for (Inbox.Item item : items) {
            if (item instanceof Inbox.Task task) {
                runTask(task);
            } else if (item instanceof Inbox.Submission submission) {
                List<WalResponse> answers = round.answer(submission.replies(), submission.bytes());
                for (WalRequest request : submission.requests()) {
                    answers.add(answer(submission, request, now));
                }
                count += submission.requests().size();
                bytes += submission.bytes();
            }
        }
        if (!round.isEmpty()) {
            metrics.requests.inc(count);
            metrics.roundRequests.observe(count);
        }
        long before = clock.monotonicNanos();
        boolean durable = commit();
        if (count > 0) {
            light =
                    count <= ServiceOptions.LIGHT_REQUESTS
                            && bytes <= ServiceOptions.LIGHT_BYTES
                            && clock.monotonicNanos() - before < ServiceOptions.LIGHT_NANOS;
        }
        if (durable) {
            round.deliver();
            pushTails();
        } else {
            round.deliverFailure(problem);
        }
    }

    private static void runTask(Inbox.Task task) {
        try {
            task.run().run();
        } catch (RuntimeException e) {
            log.error("a task of the writer failed", e);
        }
    }

    private WalResponse answer(Inbox.Submission submission, WalRequest request, Clock.Reading now) {
        if (submission.refused()) {
            metrics.refused.inc();
            return Round.error(
                    request, WalErrorCode.OVERLOADED, "too much waits for the disk: repeat later");
        } else if (!problem.isEmpty()) {
            return Round.error(request, WalErrorCode.STORAGE_FAILED, problem);
        }
        if (request.hasAppend() && request.getAppend().getEntriesCount() > 0) {
            metrics.appends.inc();
        }
        try {
            return node.handle(submission.sender(), request, now);
        } catch (RuntimeException | Error e) {
            broken(e);
            return Round.error(request, WalErrorCode.STORAGE_FAILED, problem);
        }
    }

    /** False when what was handled is not durable. */
    private boolean commit() {
        if (!problem.isEmpty()) {
            return false;
        }
        long before = clock.monotonicNanos();
        try {
            if (store.commit(clock.wallMillis(), !tails.isEmpty())) {
                lastCommitNanos = clock.monotonicNanos();
                metrics.commitSeconds.observe((lastCommitNanos - before) / 1e9);
            }
            return true;
        } catch (IOException | RuntimeException | Error e) {
            broken(e);
        }
        return false;
    }

    private void pushTails() {
        if (!tails.isEmpty()) {
            try {
                tails.removeIf(tail -> !tail.push(node, store));
            } catch (RuntimeException | Error e) {
                broken(e);
            }
        }
    }

    /** Everything that no response waits for. */
    private void afterRound(boolean ticks) {
        long now = clock.monotonicNanos();
        lastTidiedNanos = now;
        boolean tick = ticks && now - lastTickNanos >= ServiceOptions.TICK.toNanos();
        if (tick) {
            lastTickNanos = now;
        }
        if (!problem.isEmpty()) {
            if (tick && !over) {
                reopen();
            }
            return;
        }
        try {
            hold();
            store.maintain(ServiceOptions.MOVED_BYTES_MAX);
            noteSpace(store.isFull());
            if (!store.isMarked() && now - lastCommitNanos >= options.markDelay().toNanos()) {
                store.mark();
            }
            if (tick) {
                node.tick(clock.read());
                store.verify(ServiceOptions.VERIFIED_BYTES_MAX);
                noteLearners();
                feedArchive(now);
                if (now - lastAskedNanos >= ServiceOptions.ASK_PAUSE.toNanos()) {
                    lastAskedNanos = now;
                    node.wantPublished(store.holding(ServiceOptions.SEGMENTS_HELD_MAX));
                }
            }
        } catch (IOException e) {
            broken(e);
        }
    }

    /** What has no copy in the archive must not be deleted. */
    private void hold() {
        if (archive != null) {
            store.holdFrom(archive.firstWanted());
        }
    }

    private void feedArchive(long now) throws StorageDamageException {
        if (archive == null) {
            return;
        }
        StorageDamageException damage = archive.takeDamage();
        if (damage != null) {
            throw damage;
        }
        boolean due = now - lastSealedNanos >= archive.interval().toNanos();
        if (due && !store.hasSealedFrom(archive.firstWanted())) {
            // While copies are behind, more and smaller segments would help nobody.
            lastSealedNanos = now;
            store.seal();
        }
        if (offeredBefore != store.newestSegment()) {
            offeredBefore = store.newestSegment();
            archive.offer(store.sealed(), node.committed());
        }
    }

    private void noteLearners() throws IOException {
        int now = node.learnerCount();
        if (now != learners) {
            log.info("{} regions have to catch up before this node counts for them", now);
            learners = now;
        }
        if (now == 0 && store.hasAside()) {
            store.dropAside();
            log.info("every region has caught up: the segments from before the repair are gone");
        }
    }

    private void noteSpace(boolean nowFull) {
        if (nowFull && !full) {
            log.error("the disk is full: entries are refused until there is space again");
        } else if (full && !nowFull) {
            log.warn("the disk has space again");
        }
        full = nowFull;
    }

    /**
     * The voters may hold what the disk does not: nothing is acknowledged until they have been read
     * back. The thread lives on to say so. A violated invariant would be read back too, so it ends
     * the service.
     */
    private void broken(Throwable cause) {
        metrics.failures.inc();
        if (cause instanceof InvariantViolation) {
            over = true;
            problem = "an invariant was violated (" + cause.getMessage() + "): restart this node";
            log.error("an invariant was violated; this node serves no more", cause);
        } else {
            problem = "the storage failed: " + cause;
            log.error("the writer failed; nothing is acknowledged until it is read back", cause);
        }
    }

    private void reopen() {
        try {
            store = reopening.reopen(store);
            node = recoverVoters();
            offeredBefore = 0;
            hold();
            problem = "";
            log.warn("the storage was read back; {} regions", node.regionCount());
        } catch (StorageDamageException e) {
            over = true;
            problem = String.valueOf(e.getMessage());
            log.error("this node serves no more", e);
        } catch (IOException e) {
            problem = "the storage failed: " + e.getMessage();
            log.warn("reading the storage back failed; trying again: {}", e.toString());
        }
    }

    /** In a round. */
    void addTail(TailFeed tail) {
        tails.add(tail);
    }

    /** In a round. */
    void removeTail(TailFeed tail) {
        tails.remove(tail);
    }

    /** In a round. */
    ServiceStatus status() {
        return new ServiceStatus(
                node.regionCount(),
                node.sessionCount(),
                node.learnerCount(),
                (long) metrics.requests.get(),
                (long) metrics.appends.get(),
                store.stats());
    }
}
