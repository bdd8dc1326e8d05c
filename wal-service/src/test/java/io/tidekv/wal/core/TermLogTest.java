package io.tidekv.wal.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Runs of terms against a plain list of them. */
class TermLogTest {
    @Test
    void agreesWithAListOfTerms() {
        for (long seed = 1; seed <= 300; seed++) {
            compare(Randomness.seeded(seed), seed);
        }
    }

    private static void compare(Randomness random, long seed) {
        TermLog log = new TermLog(0, 0);
        // terms.get(0) belongs to index `base`.
        List<Long> terms = new ArrayList<>(List.of(0L));
        long base = 0;
        for (int step = 0; step < 100; step++) {
            long last = base + terms.size() - 1;
            switch (random.nextInt(6)) {
                case 0 -> {
                    long from = base + 1 + random.nextInt(terms.size());
                    log.truncateFrom(from);
                    terms.subList((int) (from - base), terms.size()).clear();
                }
                case 1 -> {
                    long to = base + random.nextInt(terms.size());
                    log.trimTo(to);
                    terms.subList(0, (int) (to - base)).clear();
                    base = to;
                }
                default -> {
                    long term = terms.get(terms.size() - 1) + random.nextInt(2);
                    term = Math.max(1, term);
                    log.append(last + 1, term);
                    terms.add(term);
                }
            }
            assertThat(log.baseIndex()).as("seed %d", seed).isEqualTo(base);
            assertThat(log.lastIndex()).as("seed %d", seed).isEqualTo(base + terms.size() - 1);
            for (int i = 0; i < terms.size(); i++) {
                assertThat(log.termAt(base + i)).as("seed %d", seed).isEqualTo(terms.get(i));
            }
            assertThat(log.lastTerm()).isEqualTo(terms.get(terms.size() - 1));
        }
    }
}
