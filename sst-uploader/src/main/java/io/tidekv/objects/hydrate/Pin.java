package io.tidekv.objects.hydrate;

import java.util.concurrent.atomic.AtomicBoolean;

/** Keeps a cached file until it is closed. Closing twice does nothing more. */
public final class Pin implements AutoCloseable {
    private final Runnable unpin;
    private final AtomicBoolean closed = new AtomicBoolean();

    Pin(Runnable unpin) {
        this.unpin = unpin;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            unpin.run();
        }
    }
}
