package io.tidekv.objects.store;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** How a thread waits before it tries again. A simulation steps its clock instead. */
@FunctionalInterface
public interface Sleeper {
    void sleep(Duration time) throws InterruptedException;

    /** Waits in real time. */
    static Sleeper real() {
        CountDownLatch never = new CountDownLatch(1);
        return time -> {
            // The latch never opens: this always waits the whole time.
            boolean opened = never.await(time.toNanos(), TimeUnit.NANOSECONDS);
            assert !opened;
        };
    }
}
