package io.tidekv.it.storm;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Until when a storm lasts, for all its threads. */
final class Pace {
    private final CountDownLatch over = new CountDownLatch(1);

    boolean goesOn() {
        return over.getCount() > 0;
    }

    void end() {
        over.countDown();
    }

    /** Lets time pass; false if the storm is over. */
    boolean pass(long millis) {
        try {
            return !over.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
