package io.tidekv.common.history;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A transaction over lists as its client saw it. Every element is appended at most once to a key.
 *
 * @param began when the client began, on a clock that all clients share
 * @param ended when the client knew the outcome; ignored when it never did
 */
public record ListTxn(long id, Fate fate, long began, long ended, List<Op> ops) {
    /**
     * Reads a list or appends to it.
     *
     * @param append the element, or null for a read
     * @param seen what a read answered; empty for an append
     */
    public record Op(String key, @Nullable Integer append, List<Integer> seen) {
        public static Op append(String key, int element) {
            return new Op(key, element, List.of());
        }

        public static Op read(String key, List<Integer> seen) {
            return new Op(key, null, seen);
        }
    }
}
