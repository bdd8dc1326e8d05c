package io.tidekv.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A simulation that finds nothing proves nothing: each planted bug must be found. */
class PlantTest {
    private static final long SEEDS_MAX = 500;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void isFound(Plant plant) {
        long seed = 1;
        String found = "";
        while (found.isEmpty() && seed <= SEEDS_MAX) {
            found = runUntilBroken(seed++, plant);
        }
        System.out.println(plant + ": " + found);
        assertThat(found).as("%s in %d seeds", plant, SEEDS_MAX).isNotEmpty();
    }

    private static String runUntilBroken(long seed, Plant plant) {
        try {
            Simulation.run(seed, plant, false);
            return "";
        } catch (AssertionError broken) {
            return String.valueOf(broken.getMessage()).lines().findFirst().orElse("");
        }
    }
}
