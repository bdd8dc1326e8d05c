package io.tidekv.common.history;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A transaction over single keys as its client saw it. Every value is written at most once, so that
 * a value tells who wrote it.
 *
 * @param startTs its reads are as of this timestamp
 * @param lockedAt for keys that it locked before it wrote them, as of when; others must not have
 *     committed to a key that it writes between then, else its start, and its commit
 * @param commitTs 0 when it is not known
 * @param began when the client began, on a clock that all clients share
 * @param ended when the client knew the outcome, on that clock; ignored when it never did
 * @param reads in order; without reads of own writes
 */
public record SeenTxn(
        long id,
        Fate fate,
        long startTs,
        Map<String, Long> lockedAt,
        long commitTs,
        long began,
        long ended,
        List<Read> reads,
        Map<String, String> writes) {
    /**
     * A key and the value seen, null for none.
     *
     * @param ts as of when
     */
    public record Read(String key, @Nullable String value, long ts) {}

    long lockTs(String key) {
        return lockedAt.getOrDefault(key, startTs);
    }
}
