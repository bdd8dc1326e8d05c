package io.tidekv.objects.gc;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Collectors at work in a cluster that publishes, splits, fails over and backs up between any two
 * of their calls to the store: nothing that is needed may ever be missing, and little may be left.
 * {@code -Dgc.seed=…} repeats one seed, {@code -Dgc.seeds=…} sets how many are run.
 */
class CollectorChaosTest {
    private static final GcOptions OPTIONS =
            new GcOptions(
                    Duration.ofMinutes(10), Duration.ofMinutes(1), Duration.ofHours(24), 1_000_000);

    private final Map<String, Integer> counts = new TreeMap<>();

    /** Mistakes that must be found, each with the other safeguards taken away. */
    private enum Plant {
        NONE(OPTIONS),
        /** A region counts as settled before its leader has applied an entry of its own. */
        REPORT_OF_AN_OLDER_TERM(
                new GcOptions(
                        Duration.ZERO, Duration.ofMinutes(1), Duration.ofHours(24), 1_000_000)),
        /** An owner does not tell that others upload in its name. */
        JOBS_FORGOTTEN(
                new GcOptions(
                        Duration.ZERO, Duration.ofMinutes(1), Duration.ofHours(24), 1_000_000)),
        /** What an owner has uploaded and not yet published is taken for dead. */
        UPLOADS_IN_FLIGHT(
                new GcOptions(
                        Duration.ofMinutes(10),
                        Duration.ofHours(-9),
                        Duration.ofHours(24),
                        1_000_000));

        private final GcOptions options;

        Plant(GcOptions options) {
            this.options = options;
        }
    }

    @Test
    void nothingNeededIsEverMissing() {
        Long only = Long.getLong("gc.seed");
        int seeds = Integer.getInteger("gc.seeds", 40);
        for (long seed = 1; seed <= seeds; seed++) {
            run(only == null ? seed : only, Plant.NONE);
        }
        System.out.println("gc chaos, " + seeds + " seeds: " + counts);
        assertThat(counts)
                .containsKeys(
                        "splits",
                        "splits given up",
                        "merges",
                        "merges given up",
                        "takeovers",
                        "adopted entries",
                        "failed publications",
                        "backups",
                        "shared publications",
                        "failed packs",
                        "jobs adopted",
                        "jobs given up",
                        "jobs that do not fit",
                        "late uploads by workers",
                        "deleted",
                        "nested cycles");
    }

    @Test
    void plantedMistakesAreFound() {
        for (Plant plant : EnumSet.complementOf(EnumSet.of(Plant.NONE))) {
            long found = 0;
            for (long seed = 1; seed <= 500 && found == 0; seed++) {
                try {
                    run(seed, plant);
                } catch (AssertionError | ObjectStoreException e) {
                    found = seed;
                }
            }
            assertThat(found).as("seed that finds " + plant).isPositive();
            System.out.println(plant + " is found at seed " + found);
        }
    }

    private void run(long seed, Plant plant) {
        try {
            new Run(seed, plant).go();
        } catch (AssertionError | RuntimeException e) {
            if (plant == Plant.NONE) {
                throw new AssertionError("seed " + seed + ": -Dgc.seed=" + seed, e);
            }
            throw e;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private final class Run {
        private final Randomness random;
        private final ManualClock clock = new ManualClock();
        private final MemoryObjectStore base;
        private final ChaosCluster cluster;
        private final Collector collector;
        private final Collector other;
        private final Plant plant;
        private int depth;
        private int steps;

        Run(long seed, Plant plant) {
            this.plant = plant;
            random = Randomness.seeded(seed);
            Randomness jitter = random.child();
            // The store's servers do not agree on the time to the second.
            base =
                    new MemoryObjectStore(
                            new Clock() {
                                @Override
                                public long monotonicNanos() {
                                    return clock.monotonicNanos();
                                }

                                @Override
                                public long wallMillis() {
                                    return 1_000_000_000L
                                            + clock.wallMillis()
                                            + jitter.nextInt(40_000);
                                }
                            });
            cluster = new ChaosCluster(base, clock, random);
            cluster.forgetsJobs = plant == Plant.JOBS_FORGOTTEN;
            cluster.reportsBeforeNoop = plant == Plant.REPORT_OF_AN_OLDER_TERM;
            collector = collector();
            other = collector();
        }

        private Collector collector() {
            ObjectStore seen =
                    new InterruptedStore(
                            base,
                            this::meanwhile,
                            () -> {
                                if (random.chance(0.05)) {
                                    meanwhile();
                                }
                            });
            StoreContext context =
                    new StoreContext(
                            clock, random.child(), pause -> clock.advanceMillis(pause.toMillis()));
            return new Collector(
                    seen,
                    () -> cluster.cut(this::meanwhile),
                    now -> names(cluster.held),
                    plant.options,
                    context);
        }

        private static Set<String> names(Set<ObjectRef> refs) {
            return refs.stream().map(RecordNames::of).collect(Collectors.toSet());
        }

        /** What happens between two calls of a collector. */
        private void meanwhile() {
            if (depth > 2) {
                return;
            }
            int count = random.chance(0.3) ? random.nextInt(8) : 0;
            for (int i = 0; i < count; i++) {
                cluster.step();
            }
            if (depth == 1 && random.chance(0.01)) {
                counts.merge("nested cycles", 1, Integer::sum);
                cycle(other);
            }
        }

        private CollectReport cycle(Collector which) {
            depth++;
            try {
                CollectReport report = which.run(false);
                counts.merge("deleted", report.deleted(), Integer::sum);
                return report;
            } catch (CollectionStopped e) {
                counts.merge("stopped cycles", 1, Integer::sum);
                return CollectReport.NONE;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                depth--;
                cluster.verify();
            }
        }

        void go() throws InterruptedException {
            for (steps = 0; steps < 40; steps++) {
                int between = random.nextInt(30);
                for (int i = 0; i < between; i++) {
                    cluster.step();
                }
                cycle(collector);
            }
            cluster.settle();
            clock.advanceMillis(Duration.ofHours(30).toMillis());
            cluster.settle();
            depth = 10;
            for (int i = 0; i < 3; i++) {
                collector.run(false);
                clock.advanceMillis(Duration.ofHours(2).toMillis());
            }
            Set<String> needed = cluster.verify();
            long total = 0;
            long orphans = 0;
            StringBuilder which = new StringBuilder();
            List<ObjectInfo> left = new ArrayList<>(base.list("sst/", "", 1_000_000));
            left.addAll(base.list("pack/", "", 1_000_000));
            for (ObjectInfo info : left) {
                total += info.length();
                if (!needed.contains(info.name())) {
                    orphans += info.length();
                    which.append(info).append(' ');
                }
            }
            counts.merge("bytes at the end", (int) total, Integer::sum);
            counts.merge("orphaned bytes at the end", (int) orphans, Integer::sum);
            assertThat(orphans)
                    .as("orphans of %s: %s %s", total, which, needed)
                    .isLessThanOrEqualTo(total / 100);
            cluster.counts.forEach((what, n) -> counts.merge(what, n, Integer::sum));
        }
    }
}
