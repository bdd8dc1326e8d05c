package io.tidekv.it.storm;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/** The threads of a storm; the first that fails ends it for all. */
final class Crew implements AutoCloseable {
    private final Pace pace;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Crew(Pace pace) {
        this.pace = pace;
    }

    void start(Runnable work) {
        Thread thread = new Thread(() -> run(work), "storm-" + threads.size());
        threads.add(thread);
        thread.start();
    }

    private void run(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
            pace.end();
        }
    }

    /**
     * Lets the storm go on for some seconds, and on a slow machine for up to ten times as long
     * until enough has been done to be judged; then waits for all, and fails as the first failed.
     */
    void await(int seconds, BooleanSupplier enough) throws InterruptedException {
        for (int i = 0; i < 10 && (i == 0 || !enough.getAsBoolean()); i++) {
            pace.pass(seconds * 1000L);
        }
        close();
        if (failure.get() != null) {
            throw new AssertionError("a thread of the storm failed", failure.get());
        }
    }

    @Override
    public void close() throws InterruptedException {
        pace.end();
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
