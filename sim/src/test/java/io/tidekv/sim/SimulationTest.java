package io.tidekv.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random runs of the protocol. {@code -Dsim.seed=N} replays one seed with its trace; {@code
 * -Dsim.seeds=N -Dsim.from=M} runs N seeds from M on.
 */
class SimulationTest {
    /** What must have happened somewhere in the default seeds, or they prove less than they say. */
    private static final String[] MARKS = {
        "leader: FENCED",
        "leader: RELEASED",
        "link: a request arrives after its connection broke",
        "log: parts joined",
        "log: parts of a lost owner dropped",
        "pd: voters changed",
        "pd: asked for what a node may have forgotten",
        "read: confirmed",
        "read: under a lease",
        "segments: a region has to catch up",
        "segments: damage found at a start",
        "segments: maintenance failed",
        "segments: power lost in a call",
        "segments: power lost in a recovery",
        "segments: recovered",
        "segments: recovered unsynced records",
        "segments: repaired from other voters",
        "snapshot: moved",
        "tablet: opened",
        "voter: APPEND",
        "voter: CREATE",
        "voter: DISK_FULL",
        "voter: LEASE_HELD",
        "voter: NOT_OWNER",
        "voter: OPEN",
        "voter: READ",
        "voter: RELEASE",
        "voter: RENEW",
        "voter: RETIRE",
        "voter: RETIRED",
        "voter: SESSION_LOST",
        "voter: STALE_TERM",
        "voter: UNKNOWN_REGION",
        "voter: a renewal leaves a region out",
        "voter: a slow disk",
        "voter: prev does not match",
        "voter: reset to snapshot",
        "voter: storage recovered in place",
        "voter: tells the owner of a pending term",
        "write: WINDOW_FULL",
    };

    @Test
    void everyPromiseIsKept() {
        Long one = Long.getLong("sim.seed");
        if (one != null) {
            System.out.println(Simulation.run(one, true));
            return;
        }
        long from = Long.getLong("sim.from", 1);
        long seeds = Long.getLong("sim.seeds", 400);
        long answered = 0;
        Map<String, Long> marks = new TreeMap<>();
        for (long seed = from; seed < from + seeds; seed++) {
            Simulation.Outcome outcome = Simulation.run(seed, false);
            answered += outcome.answered();
            outcome.marks().forEach((mark, count) -> marks.merge(mark, count, Long::sum));
        }
        marks.forEach((mark, count) -> System.out.println(mark + ": " + count));
        System.out.println(seeds + " seeds from " + from + ": " + answered + " operations");
        assertThat(answered).isGreaterThan(20 * seeds);
        if (seeds >= 200) {
            assertThat(marks).containsKeys(MARKS);
        }
    }

    @Test
    void equalSeedsGiveEqualRuns() {
        for (long seed = 1; seed <= 10; seed++) {
            assertThat(Simulation.run(seed, false)).isEqualTo(Simulation.run(seed, false));
        }
    }
}
