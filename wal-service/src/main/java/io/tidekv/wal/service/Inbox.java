package io.tidekv.wal.service;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** What waits for the writer, in order of arrival. Thread-safe. */
final class Inbox {
    /** Something for the writer. */
    sealed interface Item {
        int bytes();
    }

    /** Requests of one sender; {@code refused} when there was no room for them. */
    record Submission(
            Owner sender, List<WalRequest> requests, int bytes, Replies replies, boolean refused)
            implements Item {}

    /** Work that needs the writer's thread. */
    record Task(Runnable run) implements Item {
        @Override
        public int bytes() {
            return 0;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final ArrayDeque<Item> items = new ArrayDeque<>();
    private final long bytesMax;
    private long bytes;
    private boolean closed;

    Inbox(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * Queues requests. Beyond the bound they lose their bodies and are only queued to be refused in
     * their turn, so that responses keep the order of requests.
     *
     * @param wake whether the writer is woken
     */
    void submit(Owner sender, List<WalRequest> requests, int size, Replies replies, boolean wake) {
        lock.lock();
        try {
            boolean refused = bytes > 0 && bytes + size > bytesMax;
            List<WalRequest> kept = refused ? withoutBodies(requests) : requests;
            add(new Submission(sender, kept, size, replies, refused), wake);
        } finally {
            lock.unlock();
        }
    }

    void run(Runnable task) {
        lock.lock();
        try {
            add(new Task(task), true);
        } finally {
            lock.unlock();
        }
    }

    private void add(Item item, boolean wake) {
        if (!closed) {
            items.add(item);
            bytes += held(item);
            if (wake) {
                arrived.signal();
            }
        }
    }

    private static long held(Item item) {
        return item instanceof Submission submission && submission.refused ? 0 : item.bytes();
    }

    private static List<WalRequest> withoutBodies(List<WalRequest> requests) {
        List<WalRequest> bare = new ArrayList<>(requests.size());
        for (WalRequest request : requests) {
            bare.add(
                    WalRequest.newBuilder()
                            .setSeq(request.getSeq())
                            .setRegionId(request.getRegionId())
                            .build());
        }
        return bare;
    }

    /** Waits for something, at most {@code patience}. False when closed and empty. */
    boolean await(Duration patience) throws InterruptedException {
        lock.lock();
        try {
            long nanos = patience.toNanos();
            while (items.isEmpty() && !closed && nanos > 0) {
                nanos = arrived.awaitNanos(nanos);
            }
            return !(closed && items.isEmpty());
        } finally {
            lock.unlock();
        }
    }

    /** Moves what has arrived to {@code into}, about {@code bytesWanted} of it. */
    void poll(List<Item> into, long bytesWanted) {
        lock.lock();
        try {
            long taken = 0;
            while (!items.isEmpty() && taken <= bytesWanted) {
                Item item = items.remove();
                taken += held(item);
                into.add(item);
            }
            bytes -= taken;
        } finally {
            lock.unlock();
        }
    }

    /** Wakes the writer if anything waits. */
    void wake() {
        lock.lock();
        try {
            if (!items.isEmpty()) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return items.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Bytes that wait. */
    long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }

    /** Takes nothing more. What waits can still be taken. */
    void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }
}
