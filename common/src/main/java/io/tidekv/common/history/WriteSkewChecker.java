package io.tidekv.common.history;

import java.util.ArrayList;
import java.util.List;

/**
 * Pairs of keys that may be taken once: a transaction takes one side after it has seen both free.
 * Under plain snapshot isolation two may take both sides; with locks on what was read none can.
 */
public final class WriteSkewChecker {
    private WriteSkewChecker() {}

    /**
     * One transaction.
     *
     * @param side what it took, 0 or 1; -1 when it took nothing
     * @param seen for each side who had taken it, 0 for nobody
     */
    public record Taker(long id, Fate fate, String pair, int side, List<Long> seen) {}

    /** Who took what in spite of somebody else; empty when nobody did. */
    public static List<String> check(List<Taker> takers) {
        List<String> found = new ArrayList<>();
        for (Taker taker : takers) {
            boolean free = taker.seen.get(0) == 0 && taker.seen.get(1) == 0;
            if (taker.fate == Fate.COMMITTED && taker.side >= 0 && !free) {
                found.add(taker.id + " took " + taker.pair + " although it was not free");
            }
            if (taker.seen.get(0) != 0 && taker.seen.get(1) != 0) {
                found.add(taker.id + " sees both sides of " + taker.pair + " taken");
            }
            for (int side = 0; side < 2; side++) {
                checkSeen(takers, taker, side, found);
            }
        }
        for (int i = 0; i < takers.size(); i++) {
            for (int j = i + 1; j < takers.size(); j++) {
                Taker one = takers.get(i);
                Taker other = takers.get(j);
                if (one.pair.equals(other.pair) && hasTaken(one) && hasTaken(other)) {
                    found.add(one.id + " and " + other.id + " both took " + one.pair);
                }
            }
        }
        return found;
    }

    private static void checkSeen(List<Taker> takers, Taker reader, int side, List<String> found) {
        long seen = reader.seen.get(side);
        if (seen == 0) {
            return;
        }
        boolean known = false;
        for (Taker other : takers) {
            boolean wrote = other.pair.equals(reader.pair) && other.side == side;
            if (other.id == seen && wrote) {
                known = other.fate != Fate.ABORTED;
            }
        }
        if (!known) {
            found.add(reader.id + " sees " + reader.pair + " taken by one that did not take it");
        }
    }

    private static boolean hasTaken(Taker taker) {
        return taker.fate == Fate.COMMITTED && taker.side >= 0;
    }
}
