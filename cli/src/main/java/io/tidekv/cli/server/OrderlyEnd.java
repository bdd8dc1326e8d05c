package io.tidekv.cli.server;

import io.tidekv.common.Threads;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets the main thread end things in order when the process is told to end (SIGINT, SIGTERM): the
 * signal only asks, and the process goes on until {@link #done} is called or 60 s have passed.
 */
public final class OrderlyEnd {
    private static final long AT_MOST_SECONDS = 60;

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);

    private OrderlyEnd() {}

    /** Listens for signals from now on. */
    public static OrderlyEnd install() {
        OrderlyEnd end = new OrderlyEnd();
        Runtime.getRuntime().addShutdownHook(Threads.factory("end").newThread(end::hold));
        return end;
    }

    /** Asks for the end from inside the process. */
    public void ask() {
        asked.countDown();
    }

    public boolean asked() {
        return asked.getCount() == 0;
    }

    /** Waits until the end is asked for. */
    public void await() {
        try {
            asked.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits at most that long; true when the end is asked for. */
    public boolean await(long millis) {
        try {
            return asked.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Everything has ended: the process may go. */
    public void done() {
        done.countDown();
    }

    private void hold() {
        asked.countDown();
        try {
            if (!done.await(AT_MOST_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("tidekv: did not end in time, going anyway");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
