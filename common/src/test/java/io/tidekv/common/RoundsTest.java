package io.tidekv.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rounds are run one at a time, by their own thread or by who brings an event. */
class RoundsTest implements Rounds.Work {
    // Moves only when a test says so: how long a round takes is not up to the machine.
    private final AtomicLong nanos = new AtomicLong();
    private final AtomicInteger inRound = new AtomicInteger();
    private final AtomicLong nextNanos = new AtomicLong(TimeUnit.HOURS.toNanos(1));
    private final Queue<Runnable> here = new ConcurrentLinkedQueue<>();
    // Written in rounds only, read when they are over.
    private final List<String> done = new ArrayList<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final Rounds rounds = new Rounds(this, nanos::get);
    private Thread own;

    @Override
    public void round(Rounds.Events events, boolean isOwn) {
        assertThat(inRound.incrementAndGet()).isEqualTo(1);
        assertThat(isOwn).isEqualTo(isOwn());
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            event.run();
        }
        inRound.decrementAndGet();
    }

    private static boolean isOwn() {
        return Thread.currentThread().getName().startsWith("rounds");
    }

    @Override
    public long nanosToNext() {
        return nextNanos.get();
    }

    @Override
    public void failed(Throwable cause) {
        failures.add(cause);
    }

    @BeforeEach
    void start() throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        rounds.execute(started::countDown);
        own = rounds.start("rounds");
        assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
        settle();
    }

    @AfterEach
    void stop() throws InterruptedException {
        rounds.stop();
        own.join(10_000);
        assertThat(own.isAlive()).isFalse();
    }

    /** Waits until the own thread has nothing to do. */
    private void settle() {
        await().until(() -> own.getState() == Thread.State.TIMED_WAITING);
    }

    private Runnable event(String name) {
        return () -> done.add(name + (isOwn() ? " own" : " here"));
    }

    private void runHere() {
        for (Runnable task = here.poll(); task != null; task = here.poll()) {
            task.run();
        }
    }

    @Test
    void aShortRoundIsRunByWhoBringsTheEvent() {
        rounds.execute(event("a"), here::add);
        rounds.execute(event("b"), here::add);
        assertThat(here).as("one round for what comes together").hasSize(1);
        runHere();
        assertThat(done).containsExactly("a here", "b here");
    }

    @Test
    void whatComesForTheOwnThreadIsNotRunElsewhere() {
        CountDownLatch taken = new CountDownLatch(1);
        rounds.execute(event("a"), here::add);
        rounds.execute(event("b"));
        rounds.execute(taken::countDown);
        await().until(() -> taken.getCount() == 0);
        settle();
        runHere();
        assertThat(done).containsExactly("a own", "b own");
    }

    @Test
    void aLongRoundIsFollowedByOnesOfTheOwnThread() {
        rounds.execute(() -> nanos.addAndGet(TimeUnit.SECONDS.toNanos(1)), here::add);
        runHere();
        CountDownLatch taken = new CountDownLatch(1);
        rounds.execute(
                () -> {
                    event("a").run();
                    taken.countDown();
                },
                here::add);
        assertThat(here).isEmpty();
        await().until(() -> taken.getCount() == 0);
        settle();
        assertThat(done).containsExactly("a own");
        rounds.execute(event("b"), here::add);
        runHere();
        assertThat(done).as("it was a short one").containsExactly("a own", "b here");
    }

    @Test
    void theOwnThreadRunsWhatIsDueAfterwards() {
        CountDownLatch ran = new CountDownLatch(1);
        nextNanos.set(0);
        rounds.execute(
                () ->
                        rounds.execute(
                                () -> {
                                    event("later").run();
                                    nextNanos.set(TimeUnit.HOURS.toNanos(1));
                                    ran.countDown();
                                }),
                here::add);
        runHere();
        await().until(() -> ran.getCount() == 0);
    }

    @Test
    void nothingIsForgottenWhenTheThreadDoesNotCome() {
        rounds.execute(event("a"), here::add);
        here.clear();
        CountDownLatch taken = new CountDownLatch(1);
        rounds.execute(taken::countDown);
        await().until(() -> taken.getCount() == 0);
        settle();
        assertThat(done).containsExactly("a own");
    }

    @Test
    void eventsOfManyThreadsKeepTheirOrder() throws InterruptedException {
        int threads = 4;
        int each = 2000;
        List<List<Integer>> taken = new ArrayList<>();
        CountDownLatch all = new CountDownLatch(threads * each);
        ExecutorService pool = Threads.pool("bring", threads, threads);
        for (int i = 0; i < threads; i++) {
            List<Integer> mine = new ArrayList<>();
            taken.add(mine);
            boolean waits = i % 2 == 0;
            pool.execute(
                    () -> {
                        Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
                        for (int n = 0; n < each; n++) {
                            int number = n;
                            rounds.execute(
                                    () -> {
                                        mine.add(number);
                                        all.countDown();
                                    },
                                    waits ? tasks::add : null);
                            for (Runnable t = tasks.poll(); t != null; t = tasks.poll()) {
                                t.run();
                            }
                        }
                    });
        }
        assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
        pool.shutdown();
        taken.forEach(mine -> assertThat(mine).hasSize(each).isSorted());
        assertThat(failures).isEmpty();
    }

    @Test
    void aRoundThatThrowsIsTheLast() throws InterruptedException {
        IllegalStateException cause = new IllegalStateException("broken");
        rounds.execute(
                () -> {
                    throw cause;
                },
                here::add);
        runHere();
        assertThat(failures).containsExactly(cause);
        rounds.execute(event("a"));
        own.join(10_000);
        assertThat(own.isAlive()).isFalse();
        assertThat(done).isEmpty();
    }
}
