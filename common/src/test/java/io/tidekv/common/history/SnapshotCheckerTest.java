package io.tidekv.common.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Histories are written as {@code id fate start[/lock]-commit began..ended op*}. */
class SnapshotCheckerTest {
    private static final List<String> GOOD =
            List.of(
                    "",
                    "1 C 10-20 1..2 a=1; 2 C 30-0 3..4 a?1",
                    "1 C 10-20 1..5 a=1; 2 C 15-0 2..4 a?-",
                    "1 C 10-20 1..5 a=1; 2 C 15-25 2..6 b=2 a?-",
                    "1 C 10-20 1..5 a=1; 2 C 15/20-25 2..6 a=2 b?-",
                    "1 A 10-0 1..5 a=1; 2 C 15-0 6..7 a?-",
                    "1 U 10-0 1..0 a=1; 2 C 15-0 6..7 a?1; 3 C 30-0 8..9 a?1",
                    "1 U 10-0 1..0 a=1 b=1; 2 C 15-0 6..7 a?1 b?1",
                    "1 C 10-20 1..2 a=1; 2 C 20-0 3..4 a?1",
                    "1 C 10-20 1..2 a=1; 2 C 30-40 3..4 a?1 a=2; 3 C 50-0 5..6 a?2");

    private static final List<String> BAD =
            List.of(
                    // misses a commit below its start
                    "1 C 10-20 1..2 a=1; 2 C 30-0 1..4 a?-",
                    // misses one at its start
                    "1 C 10-20 1..2 a=1; 2 C 20-0 1..4 a?-",
                    // reads an older version
                    "1 C 10-20 1..2 a=1; 2 C 30-40 3..4 a=2; 3 C 50-0 3..9 a?1",
                    // reads from the future
                    "1 C 10-20 1..2 a=1; 2 C 15-0 1..4 a?1",
                    // reads what was given up
                    "1 A 10-0 1..2 a=1; 2 C 30-0 3..4 a?1",
                    // reads what nobody wrote
                    "1 C 10-20 1..2 a=1; 2 C 30-0 3..4 a?7",
                    // reads a value of another key
                    "1 C 10-20 1..2 a=1 b=2; 2 C 30-0 3..4 a?2 b?2",
                    // sees a part of a transaction
                    "1 C 10-20 1..2 a=1 b=1; 2 C 30-0 1..4 a?1 b?-",
                    // sees a part of one whose end is not known
                    "1 U 10-0 1..0 a=1 b=1; 2 C 30-0 3..4 a?1 b?-",
                    // lost update: both start before the other commits
                    "1 C 10-20 1..9 a=1; 2 C 15-25 1..9 a?- a=2",
                    // lost update although locked, at too low a timestamp
                    "1 C 10-20 1..9 a=1; 2 C 12/18-25 1..9 a=2",
                    // two commits of a key at one timestamp
                    "1 C 10-20 1..9 a=1; 2 C 11-20 1..9 a=2",
                    // commits at its start
                    "1 C 10-10 1..2 a=1",
                    // commits below its start
                    "1 C 10-9 1..2 a=1",
                    // committed without a timestamp
                    "1 C 10-0 1..2 a=1",
                    // a start timestamp given twice
                    "1 C 10-20 1..2 a=1; 2 C 10-0 1..4 a?-",
                    // starts below what had been acknowledged
                    "1 C 10-20 1..2 a=1; 2 C 15-0 3..4 a?-",
                    // starts below one that had ended without a write
                    "1 C 30-0 1..2 a?-; 2 C 15-0 3..4 a?-",
                    // two reads of a key differ
                    "1 C 10-20 1..2 a=1; 2 C 30-0 3..4 a?1 a?-",
                    // a value written twice
                    "1 C 10-20 1..2 a=1; 2 C 30-40 3..4 a=1",
                    // an identity twice
                    "1 C 10-20 1..2 a=1; 1 C 30-40 3..4 a=2",
                    // reads one of unknown end that began later
                    "1 U 40-0 1..0 a=1; 2 C 30-0 1..4 a?1");

    @Test
    void acceptsWhatACorrectStoreDoes() {
        for (String history : GOOD) {
            assertThat(SnapshotChecker.check(parse(history))).as(history).isEmpty();
        }
    }

    @Test
    void rejectsEveryBadHistory() {
        for (String history : BAD) {
            assertThat(SnapshotChecker.check(parse(history))).as(history).isNotEmpty();
        }
    }

    private static List<SeenTxn> parse(String text) {
        List<SeenTxn> txns = new ArrayList<>();
        for (String line : text.split(";")) {
            if (line.isBlank()) {
                continue;
            }
            String[] parts = line.trim().split(" ");
            String[] ts = parts[2].split("[/-]");
            boolean hasLock = parts[2].contains("/");
            String[] time = parts[3].split("\\.\\.");
            List<SeenTxn.Read> reads = new ArrayList<>();
            Map<String, String> writes = new LinkedHashMap<>();
            for (int i = 4; i < parts.length; i++) {
                String key = parts[i].substring(0, 1);
                String value = parts[i].substring(2);
                if (parts[i].charAt(1) == '=') {
                    writes.put(key, value);
                } else {
                    reads.add(
                            new SeenTxn.Read(
                                    key, value.equals("-") ? null : value, Long.parseLong(ts[0])));
                }
            }
            Map<String, Long> locked = new LinkedHashMap<>();
            if (hasLock) {
                writes.keySet().forEach(key -> locked.put(key, Long.parseLong(ts[1])));
            }
            txns.add(
                    new SeenTxn(
                            Long.parseLong(parts[0]),
                            fate(parts[1]),
                            Long.parseLong(ts[0]),
                            locked,
                            Long.parseLong(ts[ts.length - 1]),
                            Long.parseLong(time[0]),
                            Long.parseLong(time[1]),
                            reads,
                            writes));
        }
        return txns;
    }

    static Fate fate(String letter) {
        return switch (letter) {
            case "C" -> Fate.COMMITTED;
            case "A" -> Fate.ABORTED;
            default -> Fate.UNKNOWN;
        };
    }
}
