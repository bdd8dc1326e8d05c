package io.tidekv.objects.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MomentCutTest {
    private static final long TS = 500;

    private final ManualClock clock = new ManualClock();
    private final Cluster cluster = new Cluster(Randomness.seeded(1));
    private final List<String> progress = new ArrayList<>();

    private CutSource.Cut take(Owners owners) {
        StoreContext context =
                new StoreContext(
                        clock,
                        Randomness.seeded(2),
                        pause -> clock.advanceMillis(pause.toMillis()));
        return new MomentCut(owners, context, Duration.ofSeconds(5), progress::add).take(() -> {});
    }

    private static ByteString key(String text) {
        return ByteString.copyFromUtf8(text);
    }

    /** Regions that split, move and fail between any two calls. */
    private static class Cluster implements Owners {
        final Randomness random;
        final TreeMap<String, Long> starts = new TreeMap<>(Map.of("", 1L));
        final Map<Long, Integer> owners = new TreeMap<>(Map.of(1L, 0));
        final Set<String> settled = new LinkedHashSet<>();
        final List<String> published = new ArrayList<>();
        boolean held;
        boolean tooLate;
        int changes;
        long nextId = 2;

        Cluster(Randomness random) {
            this.random = random;
        }

        @Override
        public long timestamp() {
            return TS;
        }

        @Override
        public boolean hold(long ts, Duration time) {
            held = true;
            return !tooLate;
        }

        @Override
        public void release() {
            held = false;
        }

        String end(String start) {
            String next = starts.higherKey(start);
            return next == null ? "" : next;
        }

        @Override
        public List<Owned> regions() {
            List<Owned> all = new ArrayList<>();
            starts.forEach(
                    (start, id) ->
                            all.add(
                                    new Owned(
                                            id,
                                            key(start),
                                            key(end(start)),
                                            owners.get(id) == 9 ? "" : "s" + owners.get(id))));
            change();
            return all;
        }

        void change() {
            if (changes == 0) {
                return;
            }
            changes--;
            if (random.chance(0.5) && starts.size() < 12) {
                String at = "" + (char) ('b' + random.nextInt(20));
                if (!starts.containsKey(at)) {
                    long id = nextId++;
                    owners.put(id, owners.get(starts.floorEntry(at).getValue()));
                    starts.put(at, id);
                }
            } else {
                List<Long> ids = List.copyOf(owners.keySet());
                owners.put(ids.get(random.nextInt(ids.size())), random.nextInt(3));
            }
        }

        @Override
        public List<Answer> settle(Map<String, List<Long>> byStore, long ts, boolean publish) {
            assertThat(held).isTrue();
            assertThat(ts).isEqualTo(TS);
            List<Answer> answers = new ArrayList<>();
            byStore.forEach(
                    (store, ids) -> {
                        change();
                        ids.forEach(id -> answers.add(answer(store, id, publish)));
                    });
            return answers;
        }

        private Answer answer(String store, long id, boolean publish) {
            for (Map.Entry<String, Long> region : starts.entrySet()) {
                boolean here = ("s" + owners.get(id)).equals(store);
                if (region.getValue() == id && here && (changes == 0 || random.chance(0.7))) {
                    String start = region.getKey();
                    ObjectRef record = null;
                    if (publish) {
                        assertThat(settled).as("all are settled first").contains("\0whole");
                        record = ObjectRef.newBuilder().setKey(id + "@" + start).build();
                    }
                    note(start, end(start), publish);
                    return new Answer(id, key(start), key(end(start)), record, "");
                }
            }
            return new Answer(id, ByteString.EMPTY, ByteString.EMPTY, null, "not led here");
        }

        /** What every key has seen. */
        private void note(String start, String end, boolean publish) {
            for (char c = 'a'; c <= 'z'; c++) {
                String at = "" + c;
                if (at.compareTo(start) >= 0 && (end.isEmpty() || at.compareTo(end) < 0)) {
                    if (publish) {
                        published.add(at);
                    } else {
                        settled.add(at);
                    }
                }
            }
            if (settled.size() == 26) {
                settled.add("\0whole");
            }
        }
    }

    @Test
    void theOtherHalfOfARegionThatSplitsIsAskedFor() {
        Cluster splitting =
                new Cluster(Randomness.seeded(3)) {
                    @Override
                    public List<Answer> settle(
                            Map<String, List<Long>> byStore, long ts, boolean publish) {
                        if (publish && starts.size() == 1) {
                            starts.put("m", 2L);
                            owners.put(2L, 0);
                        }
                        return super.settle(byStore, ts, publish);
                    }
                };
        assertThat(take(splitting).records()).extracting(ObjectRef::getKey).contains("1@", "2@m");
        assertThat(progress).last().isEqualTo("2 of 2 regions have published");
    }

    @Test
    void allAreSettledBeforeOnePublishes() {
        for (int seed = 1; seed <= 200; seed++) {
            Cluster changing = new Cluster(Randomness.seeded(seed));
            changing.changes = 40;
            CutSource.Cut cut = take(changing);
            assertThat(cut.ts()).isEqualTo(TS);
            assertThat(new LinkedHashSet<>(changing.published)).as("seed " + seed).hasSize(26);
            assertThat(cut.records()).isNotEmpty();
            assertThat(changing.held).isFalse();
        }
    }

    @Test
    void manyRegionsOfAStoreAreAskedBitByBit() {
        for (int i = 0; i < 200; i++) {
            long id = cluster.nextId++;
            cluster.owners.put(id, 0);
            cluster.starts.put("b%03d".formatted(i), id);
        }
        assertThat(take(cluster).records()).hasSize(201);
        assertThat(progress)
                .contains("64 of 201 regions are settled", "201 of 201 regions have published");
    }

    @Test
    void aRegionWithoutAnOwnerEndsItInTime() {
        cluster.starts.put("m", 2L);
        cluster.owners.put(2L, 9);
        assertThatThrownBy(() -> take(cluster))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("from 6d on")
                .hasMessageContaining("5 s");
        assertThat(cluster.held).isFalse();
    }

    @Test
    void versionsThatAreNeededMustNotBeCollectedYet() {
        cluster.tooLate = true;
        assertThatThrownBy(() -> take(cluster)).hasMessageContaining("safe point");
    }

    @Test
    void gapsAreWhatIsLeft() {
        KeyGaps gaps = new KeyGaps();
        gaps.close(key("c"), key("f"));
        gaps.close(key("m"), ByteString.EMPTY);
        assertThat(gaps.meets(key("c"), key("f"))).isFalse();
        assertThat(gaps.meets(key("b"), key("c"))).isTrue();
        assertThat(gaps.meets(key("e"), key("g"))).isTrue();
        assertThat(gaps.meets(key("n"), ByteString.EMPTY)).isFalse();
        gaps.close(ByteString.EMPTY, key("d"));
        assertThat(gaps.first()).isEqualTo(key("f"));
        gaps.close(key("g"), key("h"));
        gaps.close(key("a"), key("k"));
        assertThat(gaps.first()).isEqualTo(key("k"));
        assertThat(gaps.isEmpty()).isFalse();
        gaps.close(key("k"), key("m"));
        assertThat(gaps.isEmpty()).isTrue();
        assertThat(gaps.meets(ByteString.EMPTY, ByteString.EMPTY)).isFalse();
    }
}
