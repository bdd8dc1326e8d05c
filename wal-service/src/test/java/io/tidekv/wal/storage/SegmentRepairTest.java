package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.wal.storage.MemoryWalFiles.Crash;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Damaged folders go on with what is whole, and say what is not. */
class SegmentRepairTest {
    private static final class PowerLoss extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static final long TERM = 60;
    private static final Owner OWNER = Owner.newBuilder().setStoreId(3).setIncarnation(4).build();

    private final MemoryWalFiles files = new MemoryWalFiles();
    private final StoreScript script = new StoreScript(5, 200);
    private Map<Long, StoreScript.Region> all = Map.of();
    private int asked;

    private RepairBounds bounds() {
        asked++;
        Map<Long, RepairBounds.Region> regions = new TreeMap<>();
        VoterConfig config = VoterConfig.newBuilder().setGeneration(1).addWalIds(1).build();
        for (long region = 1; region <= 10; region++) {
            regions.put(region, new RepairBounds.Region(TERM, OWNER, config, region < 10));
        }
        return new RepairBounds(77, regions);
    }

    private SegmentStore open(MemoryWalFiles in) throws IOException {
        return new NodeStorage(in, StoreScript.NODE, StoreScript.OPTIONS, this::bounds).open();
    }

    /** As a node that reads its segments in the background. */
    private SegmentStore verified(MemoryWalFiles in) throws IOException {
        NodeStorage node = new NodeStorage(in, StoreScript.NODE, StoreScript.OPTIONS, this::bounds);
        SegmentStore store = node.open();
        try {
            while (store.verify(1000)) {
                assertThat(store.stats().segments()).isPositive();
            }
            return store;
        } catch (StorageDamageException e) {
            return node.reopen(store);
        }
    }

    private static MemoryWalFiles copy(MemoryWalFiles of) {
        return of.crashed(Crash.ALL_KEPT, Randomness.seeded(1));
    }

    private void write() throws IOException {
        SegmentStore store = SegmentStore.open(files, StoreScript.NODE, StoreScript.OPTIONS);
        script.run(store, new int[1]);
        store.mark();
        all = StoreScript.read(store);
        assertThat(store.stats().segments()).isGreaterThanOrEqualTo(2);
    }

    /** A region is what it was, or a learner with a log that it had at some time. */
    private int learners(SegmentStore store, String where) {
        int learners = 0;
        Map<Long, StoreScript.Region> found = StoreScript.read(store);
        for (long id : all.keySet()) {
            assertThat(found).as(where).containsKey(id);
            StoreScript.Region region = found.get(id);
            if (region.meta().getLearner()) {
                learners++;
                assertThat(had(id, region.entries())).as(where + ", region " + id).isTrue();
                if (store.forgottenBelow() > 0 && asked > 0) {
                    assertThat(region.meta().getTerm()).isPositive();
                }
            } else {
                assertThat(region).as(where + ", region " + id).isEqualTo(all.get(id));
            }
        }
        return learners;
    }

    private boolean had(long region, List<Entry> entries) {
        return entries.isEmpty()
                || script.states().stream()
                        .filter(state -> state.containsKey(region))
                        .anyMatch(state -> state.get(region).entries().containsAll(entries));
    }

    @Test
    void everyChangedByteIsRepaired() throws IOException {
        write();
        int learners = 0;
        int whole = 0;
        for (String name : files.list()) {
            for (long offset = 0; offset < files.sizeOf(name); offset += 61) {
                MemoryWalFiles rotten = copy(files);
                rotten.rot(name, offset);
                String where = name + ":" + offset;
                try (SegmentStore store = verified(rotten)) {
                    int lost = learners(store, where);
                    learners += lost;
                    whole += lost == 0 ? 1 : 0;
                } catch (IOException e) {
                    assertThat(e).as(where).hasMessageContaining("newer version");
                }
                try (SegmentStore again =
                        SegmentStore.open(rotten, StoreScript.NODE, StoreScript.OPTIONS)) {
                    learners(again, where + " again");
                } catch (IOException e) {
                    assertThat(e).as(where).hasMessageContaining("newer version");
                }
            }
        }
        assertThat(learners).isPositive();
        assertThat(whole).isPositive();
    }

    @Test
    void whatAnIndexTellsIsNotAsked() throws IOException {
        write();
        String full = files.list().get(1);
        assertThat(full).endsWith(".wal");
        int lost = 0;
        int repaired = 0;
        for (long offset = 600; offset < files.sizeOf(full); offset += 97) {
            MemoryWalFiles rotten = copy(files);
            rotten.rot(full, offset);
            rotten.rot(full, offset + 1);
            try (SegmentStore store = verified(rotten)) {
                lost += learners(store, full + ":" + offset);
                assertThat(store.forgottenBelow()).isZero();
            }
            repaired += rotten.list().contains(full + ".damaged") ? 1 : 0;
        }
        assertThat(repaired).isPositive();
        assertThat(lost).isPositive();
        assertThat(asked).isZero();
    }

    @Test
    void aLostSegmentMakesEveryRegionALearner() throws IOException {
        write();
        String full = files.list().stream().filter(name -> name.endsWith(".wal")).toList().get(0);
        MemoryWalFiles poorer = copy(files);
        poorer.delete(full);
        try (SegmentStore store = open(poorer)) {
            assertThat(learners(store, full)).isEqualTo(all.size());
            assertThat(store.forgottenBelow()).isEqualTo(77);
            assertThat(StoreScript.read(store).get(9L).meta().getTerm()).isEqualTo(TERM);
            assertThat(StoreScript.read(store)).as("is not named for it").doesNotContainKey(10L);
            assertThat(store.hasAside()).isTrue();
            store.dropAside();
            assertThat(poorer.list()).noneMatch(name -> name.endsWith(".aside"));
        }
    }

    @Test
    void withoutPdItWaits() throws IOException {
        write();
        String last = files.list().get(files.list().size() - 1);
        files.rot(last, 520);
        NodeStorage node =
                new NodeStorage(
                        files,
                        StoreScript.NODE,
                        StoreScript.OPTIONS,
                        () -> {
                            throw new IOException("PD does not answer");
                        });
        assertThatThrownBy(node::open).hasMessageContaining("PD does not answer");
        try (SegmentStore store = open(files)) {
            assertThat(learners(store, last)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(Crash.class)
    void powerMayBeLostAtEveryCall(Crash crash) throws IOException {
        write();
        String last = files.list().get(files.list().size() - 1);
        MemoryWalFiles rotten = copy(files);
        rotten.rot(last, 520);
        boolean done = false;
        for (int at = 1; !done; at++) {
            MemoryWalFiles under = copy(rotten);
            int[] calls = {0};
            int fatal = at;
            under.setFault(
                    (call, name) -> {
                        if (++calls[0] == fatal) {
                            throw new PowerLoss();
                        }
                    });
            try (SegmentStore store = open(under)) {
                done = true;
            } catch (PowerLoss e) {
                MemoryWalFiles after = under.crashed(crash, Randomness.seeded(at));
                String where = crash + " at call " + at;
                try (SegmentStore store = open(after)) {
                    assertThat(learners(store, where)).as(where).isEqualTo(all.size());
                    assertThat(store.forgottenBelow()).isEqualTo(77);
                }
                try (SegmentStore again =
                        SegmentStore.open(after, StoreScript.NODE, StoreScript.OPTIONS)) {
                    assertThat(learners(again, where)).as(where).isEqualTo(all.size());
                }
                assertThat(after.list()).as(where).contains(last + ".damaged");
                assertThat(after.list()).as(where).noneMatch(name -> name.endsWith(".repair"));
            }
        }
    }
}
