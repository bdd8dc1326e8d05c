package io.tidekv.sim.txn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random runs of transactions. {@code -Dtxn.seed=N} replays one seed; {@code -Dtxn.seeds=N
 * -Dtxn.from=M} runs N seeds from M on.
 */
class TxnSimulationTest {
    /** What must have happened somewhere in the default seeds, or they prove less than they say. */
    private static final String[] MARKS = {
        "client: died, ABORTED",
        "client: died, COMMITTED",
        "client: died, UNKNOWN",
        "commit: asynchronous",
        "commit: one phase",
        "commit: two phases",
        "lock: conflict",
        "prewrite: conflict",
        "region: owner fenced",
        "region: split",
        "region: write timed out",
        "resolver: asynchronous commit settled",
        "resolver: committed",
        "resolver: rolled back",
        "store: restarted",
    };

    @Test
    void everythingThatWasToldFitsTogether() {
        Long one = Long.getLong("txn.seed");
        if (one != null) {
            System.out.println(TxnSimulation.run(one));
            return;
        }
        long from = Long.getLong("txn.from", 1);
        long seeds = Long.getLong("txn.seeds", 240);
        long committed = 0;
        long events = 0;
        Map<String, Long> marks = new TreeMap<>();
        for (long seed = from; seed < from + seeds; seed++) {
            TxnSimulation.Outcome outcome = TxnSimulation.run(seed);
            committed += outcome.committed();
            events += outcome.events();
            outcome.marks().forEach((mark, count) -> marks.merge(mark, count, Long::sum));
        }
        marks.forEach((mark, count) -> System.out.println(mark + ": " + count));
        System.out.println(
                seeds
                        + " seeds from "
                        + from
                        + ": "
                        + committed
                        + " commits in "
                        + events
                        + " events");
        assertThat(committed).isGreaterThan(10 * seeds);
        if (seeds >= 200) {
            assertThat(marks).containsKeys(MARKS);
        }
    }

    @Test
    void equalSeedsGiveEqualRuns() {
        for (long seed = 1; seed <= 6; seed++) {
            assertThat(TxnSimulation.run(seed)).isEqualTo(TxnSimulation.run(seed));
        }
    }
}
