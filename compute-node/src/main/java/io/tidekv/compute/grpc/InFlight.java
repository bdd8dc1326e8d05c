package io.tidekv.compute.grpc;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes of requests being served. Thread-safe. */
final class InFlight {
    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();

    InFlight(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** False when there is no room; a request larger than all room gets in alone. */
    boolean tryEnter(long more) {
        while (true) {
            long now = bytes.get();
            if (now > 0 && now + more > bytesMax) {
                return false;
            }
            if (bytes.compareAndSet(now, now + more)) {
                return true;
            }
        }
    }

    void leave(long fewer) {
        bytes.addAndGet(-fewer);
    }

    long bytes() {
        return bytes.get();
    }
}
