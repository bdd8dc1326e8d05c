package io.tidekv.sim.txn;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A simulation that finds nothing proves nothing: each planted bug must be found. */
class TxnPlantTest {
    private static final long SEEDS_MAX = 400;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void isFound(TxnPlant plant) {
        String found = "";
        long seed = 0;
        while (found.isEmpty() && seed < SEEDS_MAX) {
            found = runUntilBroken(++seed, plant);
        }
        System.out.println(plant + " at seed " + seed + ": " + found);
        assertThat(found).as("%s in %d seeds", plant, SEEDS_MAX).isNotEmpty();
    }

    private static String runUntilBroken(long seed, TxnPlant plant) {
        try {
            TxnSimulation.run(seed, plant);
            return "";
        } catch (AssertionError broken) {
            return String.valueOf(broken.getMessage());
        }
    }
}
