package io.tidekv.common.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.history.ListAppendChecker.Level;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Histories are written as {@code id fate began..ended op*}; {@code a+1} appends, {@code a:1,2}.
 */
class ListAppendCheckerTest {
    private static final String SKEW = "1 C 1..9 a: b: a+1; 2 C 1..9 a: b: b+1; 3 C 10..11 a:1 b:1";

    private static final List<String> GOOD =
            List.of(
                    "",
                    "1 C 1..2 a+1; 2 C 3..4 a:1 a+2; 3 C 5..6 a:1,2",
                    "1 C 1..9 a+1; 2 C 1..9 a:; 3 C 1..9 a:1",
                    "1 A 1..2 a+1; 2 C 3..4 a:",
                    "1 U 1..0 a+1; 2 C 3..4 a:; 3 C 5..6 a:1",
                    "1 C 1..2 a+1 a:1 a+2 a:1,2; 2 C 3..4 a:1,2",
                    "1 C 1..9 a+1 b+1; 2 C 1..9 a:1 b:1; 3 C 1..9 a: b:",
                    "1 C 1..2 a+1; 2 C 1..9 b+1 a:1; 3 C 10..11 b:1 a:1");

    private static final List<String> BAD =
            List.of(
                    // G0: writes in opposite orders
                    "1 C 1..9 a+1 b+1; 2 C 1..9 a+2 b+2; 3 C 10..11 a:1,2 b:2,1",
                    // G1a: what was given up
                    "1 A 1..2 a+1; 2 C 3..4 a:1",
                    // G1b: a part of one transaction's appends
                    "1 C 1..9 a+1 a+2; 2 C 1..9 a:1",
                    // G1c: each reads the other's
                    "1 C 1..9 a+1 b:1; 2 C 1..9 b+1 a:1",
                    // G1c over three
                    "1 C 1..9 a+1 c:1; 2 C 1..9 b+1 a:1; 3 C 1..9 c+1 b:1",
                    // G-single: sees one write of a transaction and not the other
                    "1 C 1..9 a+1 b+1; 2 C 1..9 a:1 b:; 3 C 10..11 b:1",
                    // lost update: both append after the same state, without seeing each other
                    "1 C 1..9 a: a+1; 2 C 1..9 a: a+2; 3 C 10..11 a:1,2",
                    // lost append: acknowledged and never seen
                    "1 C 1..2 a+1; 2 C 3..4 a:; 3 C 5..6 a:",
                    // lost append: overwritten by a later one
                    "1 C 1..2 a+1; 2 C 3..4 a+2; 3 C 5..6 a:2",
                    // stale read: an older state after an acknowledged append
                    "1 C 1..2 a+1; 2 C 3..4 a+2; 3 C 5..6 a:1; 4 C 7..8 a:1,2",
                    // a later transaction reads less than an earlier one
                    "1 C 1..9 a+1; 2 C 2..3 a:1; 3 C 4..5 a:",
                    // order of elements differs between readers
                    "1 C 1..9 a+1; 2 C 1..9 a+2; 3 C 10..11 a:1,2; 4 C 10..11 a:2,1",
                    // an element twice
                    "1 C 1..2 a+1; 2 C 3..4 a:1,1",
                    // an element of nobody
                    "1 C 1..2 a+1; 2 C 3..4 a:1,7",
                    // does not read its own append
                    "1 C 1..2 a+1 a:",
                    // reads its own append before it made it
                    "1 C 1..2 a:1 a+1",
                    // two reads in one transaction differ
                    "1 C 1..9 a+1; 2 C 1..9 a: a:1",
                    // one element appended twice
                    "1 C 1..2 a+1; 2 C 3..4 a+1",
                    // real time: the later append stands first
                    "1 C 1..2 a+1; 2 C 3..4 a+2; 3 C 5..6 a:2,1",
                    // real time over another key
                    "1 C 1..2 a+1; 2 C 3..4 b+1; 3 C 3..9 b:1 a:");

    @Test
    void acceptsWhatACorrectStoreDoes() {
        for (String history : GOOD) {
            assertThat(ListAppendChecker.check(parse(history), Level.SERIALIZABLE))
                    .as(history)
                    .isEmpty();
        }
    }

    @Test
    void rejectsEveryBadHistory() {
        for (String history : BAD) {
            assertThat(ListAppendChecker.check(parse(history), Level.SNAPSHOT))
                    .as(history)
                    .isNotEmpty();
        }
    }

    @Test
    void writeSkewIsAnAnomalyOnlyWhereSerialHistoriesArePromised() {
        assertThat(ListAppendChecker.check(parse(SKEW), Level.SNAPSHOT)).isEmpty();
        assertThat(ListAppendChecker.check(parse(SKEW), Level.SERIALIZABLE))
                .singleElement()
                .asString()
                .startsWith("G2");
    }

    private static List<ListTxn> parse(String text) {
        List<ListTxn> txns = new ArrayList<>();
        for (String line : text.split(";")) {
            if (line.isBlank()) {
                continue;
            }
            String[] parts = line.trim().split(" ");
            String[] time = parts[2].split("\\.\\.");
            List<ListTxn.Op> ops = new ArrayList<>();
            for (int i = 3; i < parts.length; i++) {
                String key = parts[i].substring(0, 1);
                String rest = parts[i].substring(2);
                if (parts[i].charAt(1) == '+') {
                    ops.add(ListTxn.Op.append(key, Integer.parseInt(rest)));
                } else {
                    List<Integer> seen = new ArrayList<>();
                    for (String element : rest.split(",")) {
                        if (!element.isEmpty()) {
                            seen.add(Integer.parseInt(element));
                        }
                    }
                    ops.add(ListTxn.Op.read(key, seen));
                }
            }
            txns.add(
                    new ListTxn(
                            Long.parseLong(parts[0]),
                            SnapshotCheckerTest.fate(parts[1]),
                            Long.parseLong(time[0]),
                            Long.parseLong(time[1]),
                            ops));
        }
        return txns;
    }
}
