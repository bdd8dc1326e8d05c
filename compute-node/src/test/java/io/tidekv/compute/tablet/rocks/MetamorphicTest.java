package io.tidekv.compute.tablet.rocks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever happens to its tablets, a key space answers as a sorted map does. One sequence again:
 * {@code -Dtidekv.metamorphic.seed=N -Dtidekv.metamorphic.sequences=1}.
 */
class MetamorphicTest {
    private static final int SEQUENCES = Integer.getInteger("tidekv.metamorphic.sequences", 50);
    private static final int STEPS = Integer.getInteger("tidekv.metamorphic.steps", 60);

    @TempDir Path folder;

    @Test
    void everyLifeAnswersAsASortedMap() throws Exception {
        long drawn = new Random(System.identityHashCode(this)).nextLong();
        long first = Long.getLong("tidekv.metamorphic.seed", drawn);
        System.out.println("metamorphic: " + SEQUENCES + " sequences from seed " + first);
        for (int i = 0; i < SEQUENCES; i++) {
            live(first + i, true);
        }
    }

    /** A file was cut that begins with the older versions of a key whose newer ones are before. */
    @Test
    void aCutFileDoesNotReachIntoTheFileBefore() throws Exception {
        live(5005461513787335191L, false);
    }

    private void live(long seed, boolean elsewhere) throws Exception {
        Path place = Files.createDirectories(folder.resolve("life" + seed));
        try (TabletLife life = new TabletLife(seed, place, elsewhere)) {
            life.run(STEPS);
        } catch (Exception | Error e) {
            throw new AssertionError("metamorphic sequence with seed " + seed, e);
        }
        TestStores.wipe(place);
    }
}
