package io.tidekv.compute.region.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The ring against a plain list. */
class EntryWindowTest {
    @Test
    void agreesWithAList() {
        for (long seed = 1; seed <= 100; seed++) {
            Randomness random = Randomness.seeded(seed);
            EntryWindow window = new EntryWindow(10, 3);
            List<Entry> model = new ArrayList<>();
            long base = 10;
            for (int step = 0; step < 300; step++) {
                if (random.chance(0.7)) {
                    Entry entry =
                            Entries.write(
                                    window.lastIndex() + 1, 4 + step / 50, "x".repeat(step % 7));
                    window.add(entry);
                    model.add(entry);
                } else {
                    int drop = random.nextInt(model.size() + 1);
                    base += drop;
                    window.dropThrough(base);
                    model.subList(0, drop).clear();
                }
                assertThat(window.baseIndex()).as("seed %d", seed).isEqualTo(base);
                assertThat(window.lastIndex()).as("seed %d", seed).isEqualTo(base + model.size());
                assertThat(window.slice(base + 1, window.lastIndex())).isEqualTo(model);
                assertThat(window.bytes())
                        .isEqualTo(model.stream().mapToLong(EntryWindow::bytesOf).sum());
            }
        }
    }
}
