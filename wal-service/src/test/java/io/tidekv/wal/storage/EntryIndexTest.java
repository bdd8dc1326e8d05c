package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EntryIndexTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void behavesAsAMap(long seed) {
        Randomness randomness = Randomness.seeded(seed);
        long[] held = {0};
        EntryIndex index =
                new EntryIndex(
                        new EntryIndex.Usage() {
                            @Override
                            public void hold(long place, int size) {
                                held[0] += size;
                            }

                            @Override
                            public void release(long place, int size) {
                                held[0] -= size;
                            }
                        });
        TreeMap<Long, Integer> model = new TreeMap<>();
        for (int i = 0; i < 2000; i++) {
            long at = 1000 + randomness.nextInt(120);
            switch (randomness.nextInt(20)) {
                case 0 -> {
                    index.truncateFrom(at);
                    model.tailMap(at, true).clear();
                }
                case 1 -> {
                    index.trimThrough(at - 50);
                    model.headMap(at - 50, true).clear();
                }
                case 2 -> {
                    index.clear();
                    model.clear();
                }
                default -> {
                    index.put(at, at * 7, i + 1, at * 3);
                    model.put(at, i + 1);
                }
            }
            for (long one = 940; one < 1130; one++) {
                assertThat(index.has(one)).isEqualTo(model.containsKey(one));
                if (model.containsKey(one)) {
                    assertThat(index.size(one)).isEqualTo(model.get(one));
                    assertThat(index.place(one)).isEqualTo(one * 7);
                    assertThat(index.term(one)).isEqualTo(one * 3);
                }
            }
            assertThat(held[0]).isEqualTo(model.values().stream().mapToLong(size -> size).sum());
        }
    }
}
