package io.tidekv.sim.txn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Backups of one moment, made region by region beside transactions, moves, splits and deaths.
 * {@code -Dbackup.seed=N} replays one seed; {@code -Dbackup.seeds=N -Dbackup.from=M} runs more.
 */
class TxnBackupTest {
    private static final long SEEDS_MAX = 2000;

    @Test
    void whatIsRestoredIsOfOneMoment() {
        Long one = Long.getLong("backup.seed");
        long from = one == null ? Long.getLong("backup.from", 1) : one;
        long seeds = one == null ? Long.getLong("backup.seeds", 60) : 1;
        Map<String, Long> marks = new TreeMap<>();
        for (long seed = from; seed < from + seeds; seed++) {
            TxnSimulation.runWithBackups(seed, TxnBackup.Plant.NONE)
                    .marks()
                    .forEach((mark, count) -> marks.merge(mark, count, Long::sum));
        }
        System.out.println(seeds + " seeds from " + from + ": " + marks);
        assertThat(marks.get("backup: done")).isGreaterThanOrEqualTo(seeds);
        if (seeds >= 60) {
            assertThat(marks).containsKeys("backup: again", "region: split", "store: restarted");
        }
    }

    /**
     * @param from the seed to begin with: some mistakes show in one of a thousand runs
     */
    @ParameterizedTest
    @CsvSource({"NOT_RAISED, 1", "PREWRITES_NOT_AWAITED, 811", "PRIMARIES_ALONE, 1"})
    void aMistakeIsFound(TxnBackup.Plant plant, long from) {
        String found = "";
        for (long seed = from; found.isEmpty() && seed < from + SEEDS_MAX; seed++) {
            try {
                TxnSimulation.runWithBackups(seed, plant);
            } catch (AssertionError broken) {
                found = String.valueOf(broken.getMessage());
            }
        }
        System.out.println(plant + ": " + found);
        assertThat(found).as("%s in %d seeds", plant, SEEDS_MAX).contains("backup");
    }
}
