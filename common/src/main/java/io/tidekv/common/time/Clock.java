package io.tidekv.common.time;

/** The process's two clocks. Implementations are thread-safe. */
public interface Clock {
    /** Nanoseconds on a clock that never goes back and has no meaning outside the process. */
    long monotonicNanos();

    /** Milliseconds since the epoch, by a clock that may jump. */
    long wallMillis();

    /** Both clocks, read one after the other. */
    default Reading read() {
        return new Reading(monotonicNanos(), wallMillis());
    }

    /**
     * Both clocks at one moment: a leap of one against the other shows a pause or a changed clock.
     */
    record Reading(long monotonicNanos, long wallMillis) {}
}
