package io.tidekv.sim;

import io.tidekv.common.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;

/**
 * The world: true time, the events to come, one source of randomness, and a hash over everything
 * that happened. Equal seeds make equal worlds.
 */
public final class Sim {
    public static final long MS = 1_000_000L;

    /** Something that will happen. Events of one moment happen in the order of their making. */
    private record Event(long atNanos, long order, String what, Runnable action)
            implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    private final List<Runnable> checks = new ArrayList<>();
    private final Randomness random;
    private final boolean verbose;
    private final Map<String, Long> marks = new TreeMap<>();
    private long nowNanos;
    private long orders;
    private long events;
    private long hash = 0xcbf29ce484222325L;

    public Sim(long seed, boolean verbose) {
        this.random = Randomness.seeded(seed);
        this.verbose = verbose;
    }

    public Randomness random() {
        return random;
    }

    /** True time, which no process can read. */
    public long nowNanos() {
        return nowNanos;
    }

    public long events() {
        return events;
    }

    public long hash() {
        return hash;
    }

    /** Runs {@code action} after a delay. */
    public void after(long delayNanos, String what, Runnable action) {
        queue.add(new Event(nowNanos + Math.max(0, delayNanos), orders++, what, action));
    }

    /** Called after every event. */
    void checkAlways(Runnable check) {
        checks.add(check);
    }

    /** Lets the world run until a moment. */
    public void runUntil(long untilNanos) {
        while (!queue.isEmpty() && queue.peek().atNanos <= untilNanos) {
            Event event = queue.remove();
            nowNanos = event.atNanos;
            events++;
            mix(nowNanos);
            mix(event.what.hashCode());
            event.action.run();
            for (Runnable check : checks) {
                check.run();
            }
        }
        nowNanos = untilNanos;
    }

    /** Notes something in the trace. */
    public void trace(String what, long a, long b) {
        mix(what.hashCode());
        mix(a);
        mix(b);
        if (verbose) {
            System.out.println(nowNanos / 1e6 + " ms  " + what + " " + a + " " + b);
        }
    }

    /** Counts that something was seen, so that a test can tell which paths were walked at all. */
    public void mark(String what) {
        marks.merge(what, 1L, Long::sum);
    }

    public Map<String, Long> marks() {
        return marks;
    }

    private void mix(long value) {
        hash = (hash ^ value) * 0x100000001b3L;
        hash ^= hash >>> 29;
    }

    /** An exponentially distributed duration. */
    long about(long meanNanos) {
        return (long) (-Math.log(1 - random.nextDouble()) * meanNanos);
    }

    /** Uniform in [from, to). */
    long between(long from, long to) {
        return from >= to ? from : random.nextLong(from, to);
    }

    <T> T oneOf(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }
}
