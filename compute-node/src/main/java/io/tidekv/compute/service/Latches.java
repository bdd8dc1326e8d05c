package io.tidekv.compute.service;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes commands on the same key follow each other. A key stands for a slot; a command enters the
 * queues of all its slots at once and runs when it is first in each, so that no two commands can
 * wait for each other. Nobody blocks: the one who leaves starts those who come next. Thread-safe.
 */
final class Latches {
    private static final long BACKOFF_MS = 100;

    private final @Nullable ArrayDeque<Ticket>[] queues;
    private final int waitingMax;
    private int waiting;

    /**
     * @param slots a power of two; more slots, fewer keys that share one
     * @param waitingMax commands that may wait before others are refused
     */
    @SuppressWarnings({"unchecked", "rawtypes"}) // arrays of generics
    Latches(int slots, int waitingMax) {
        queues = new ArrayDeque[slots];
        this.waitingMax = waitingMax;
    }

    /** The slots of keys, each once, in order. */
    int[] slots(Collection<byte[]> keys) {
        int[] slots = new int[keys.size()];
        int count = 0;
        for (byte[] key : keys) {
            int hash = Arrays.hashCode(key) * 0x9E3779B1;
            slots[count++] = (hash ^ (hash >>> 15)) & (queues.length - 1);
        }
        return Arrays.stream(slots).sorted().distinct().toArray();
    }

    /**
     * Queues for the slots. When all are free the ticket is granted already; otherwise {@code
     * granted} runs once, on the thread that frees the last slot, perhaps before this method
     * returns, and must be quick. Throws ServerIsBusy when too many wait.
     */
    Ticket acquire(int[] slots, Consumer<Ticket> granted) {
        Ticket ticket = new Ticket(slots, granted);
        synchronized (this) {
            if (waiting >= waitingMax) {
                throw new KvException(
                        new KvError.ServerIsBusy("too many commands wait for keys", BACKOFF_MS));
            }
            for (int slot : slots) {
                ArrayDeque<Ticket> queue = queues[slot];
                if (queue == null) {
                    queue = new ArrayDeque<>(4);
                    queues[slot] = queue;
                }
                if (!queue.isEmpty()) {
                    ticket.behind++;
                }
                queue.addLast(ticket);
            }
            ticket.grantedAtOnce = ticket.behind == 0;
            if (!ticket.grantedAtOnce) {
                waiting++;
            }
        }
        return ticket;
    }

    synchronized int waiting() {
        return waiting;
    }

    private synchronized List<Ticket> leave(Ticket ticket) {
        if (ticket.left) {
            return List.of();
        }
        ticket.left = true;
        if (ticket.behind > 0) {
            waiting--;
        }
        List<Ticket> next = new ArrayList<>();
        for (int slot : ticket.slots) {
            ArrayDeque<Ticket> queue = queues[slot];
            if (queue == null) {
                continue;
            }
            if (queue.peekFirst() != ticket) {
                queue.remove(ticket);
                continue;
            }
            queue.removeFirst();
            Ticket head = queue.peekFirst();
            if (head != null && --head.behind == 0) {
                waiting--;
                next.add(head);
            }
        }
        return next;
    }

    /** A place in the queues. Leave it exactly when done; leaving twice does nothing. */
    final class Ticket implements AutoCloseable {
        private final int[] slots;
        private final Consumer<Ticket> granted;
        private int behind;
        private boolean grantedAtOnce;
        private boolean left;

        private Ticket(int[] slots, Consumer<Ticket> granted) {
            this.slots = slots;
            this.granted = granted;
        }

        /** True when it did not have to wait; {@code granted} is then never called. */
        boolean isGrantedAtOnce() {
            return grantedAtOnce;
        }

        /** Leaves, also while still waiting, and starts those who come next. */
        @Override
        public void close() {
            leave(this).forEach(next -> next.granted.accept(next));
        }
    }
}
