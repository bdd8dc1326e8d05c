package io.tidekv.it.storm;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.it.Command;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.backup.MomentCut;
import io.tidekv.objects.backup.PdOwners;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.gc.CollectReport;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.gc.Collector;
import io.tidekv.objects.gc.GcOptions;
import io.tidekv.objects.gc.PdRoots;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.Faults.Operation;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Collectors of garbage that delete for real, after a grace period of seconds, beside a cluster
 * that is hurt: one that runs through, and one that dies in the middle of most of its cycles.
 */
final class Collectors implements AutoCloseable {
    static final GcOptions OPTIONS =
            new GcOptions(
                    Duration.ofSeconds(3), Duration.ofSeconds(2), Duration.ofMinutes(10), 2000);

    private static final double DEATHS_PER_CALL = 0.03;
    private static final String BACKUP = "in-the-storm";
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Cluster cluster;
    private final ObjectStore store;
    private final AtomicInteger cycles = new AtomicInteger();
    private final AtomicInteger deaths = new AtomicInteger();
    private final AtomicInteger deleted = new AtomicInteger();
    private final AtomicLong deletedBytes = new AtomicLong();
    private final Map<String, Integer> stops = new TreeMap<>();
    private BackupSet backup;
    private boolean fewOrphans;

    Collectors(Cluster cluster) {
        this.cluster = cluster;
        store = ObjectStores.open(cluster.objects());
    }

    /** One collector, until the storm is over. */
    void run(Pace pace) {
        while (pace.pass(700)) {
            cycle(store);
        }
    }

    /** One whose calls fail now and then, before or after their effect, which ends its cycle. */
    void runAndDie(Random random, Pace pace) {
        while (pace.pass(300)) {
            var faults = new io.tidekv.objects.store.Faults(Randomness.seeded(random.nextLong()));
            for (Operation operation : Operation.values()) {
                faults.failAtRandom(operation, DEATHS_PER_CALL / 2, DEATHS_PER_CALL / 2);
            }
            cycle(new FaultyObjectStore(store, faults, Sleeper.real()));
        }
    }

    /** Makes one backup as soon as all regions are led. */
    void backUp(Pace pace) {
        while (pace.pass(1500) && backup == null) {
            StoreContext context = StoreContext.system();
            try (PdOwners owners = new PdOwners(cluster.pdAddresses(), context.randomness())) {
                long id = owners.clusterId();
                MomentCut cut = new MomentCut(owners, context, PATIENCE, progress -> {});
                backup = new Backups(of(store, id), context.randomness()).create(BACKUP, id, cut);
            } catch (CollectionStopped | ObjectStoreException e) {
                // Later.
            }
        }
    }

    private void cycle(ObjectStore through) {
        try {
            add(collector(through).run(false));
        } catch (CollectionStopped e) {
            count(String.valueOf(e.getMessage()).replaceAll("[0-9a-f-]{6,}|[0-9]+", "N"));
        } catch (ObjectStoreException e) {
            deaths.incrementAndGet();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void add(CollectReport report) {
        cycles.incrementAndGet();
        deleted.addAndGet(report.deleted());
        deletedBytes.addAndGet(report.deletedBytes());
    }

    private void count(String reason) {
        synchronized (stops) {
            stops.merge(reason, 1, Integer::sum);
        }
    }

    private Collector collector(ObjectStore through) {
        PdRoots roots = new PdRoots(cluster.pdAddresses());
        ObjectStore mine = of(through, roots.clusterId());
        Backups backups = new Backups(mine, Randomness.real());
        return new Collector(mine, roots, backups::held, OPTIONS, StoreContext.system());
    }

    private static ObjectStore of(ObjectStore store, long clusterId) {
        return store.under(ObjectKeys.cluster(clusterId));
    }

    /** Everything that a record or the backup names is there with its checksum. */
    void scrub() {
        System.out.print(
                Command.expect("sst-uploader", "scrub", "--object-store", cluster.objects()));
        if (backup == null) {
            return;
        }
        ObjectStore mine = of(store, backup.clusterId());
        for (ObjectRef record : backup.records()) {
            for (ObjectRef file : files(mine, record).toList()) {
                ObjectInfo info = mine.head(file.getKey());
                assertThat(info).as("%s of the backup", file.getKey()).isNotNull();
                assertThat(info.length())
                        .isGreaterThanOrEqualTo(file.getOffset() + file.getLength());
            }
        }
    }

    /** Lets go of what only the backup holds. */
    void deleteBackup() {
        if (backup != null) {
            new Backups(of(store, backup.clusterId()), Randomness.real()).delete(BACKUP);
            backup = null;
        }
    }

    /** A whole cycle; waits until nothing is in its way. */
    CollectReport collect() throws InterruptedException {
        for (int tries = 0; ; tries++) {
            try {
                CollectReport report = collector(store).run(false);
                if (report.unsettledRegions() == 0 || tries > 100) {
                    add(report);
                    return report;
                }
            } catch (CollectionStopped e) {
                if (tries > 100) {
                    throw e;
                }
            }
            new Pace().pass(100);
        }
    }

    /**
     * Collects until at most one byte of a hundred is garbage, which two cycles that are a grace
     * period apart do when the last compactions are over; returns what is left of how many bytes,
     * after how many cycles, when that is so or {@code cyclesMax} are done.
     */
    String collectAll(int cyclesMax) throws InterruptedException {
        for (int cycle = 1; ; cycle++) {
            CollectReport report = collect();
            long[] orphans = orphans();
            System.out.println("cycle " + cycle + " after the storm: " + report);
            boolean few = orphans[0] * 100 <= orphans[1];
            if (few || cycle == cyclesMax) {
                fewOrphans = few;
                return "%d of %d KB are orphans %d cycles after"
                        .formatted(orphans[0] >> 10, orphans[1] >> 10, cycle);
            }
            new Pace().pass(OPTIONS.grace().toMillis() + 300);
        }
    }

    /** Whether {@link #collectAll} has left at most one byte of a hundred. */
    boolean hasFewOrphans() {
        return fewOrphans;
    }

    /** Bytes of table files and packs that no current record needs, and of all. */
    long[] orphans() {
        PdRoots roots = new PdRoots(cluster.pdAddresses());
        ObjectStore mine = of(store, roots.clusterId());
        Set<String> needed = new HashSet<>();
        for (RegionRoots region : roots.read().regions().values()) {
            needed.addAll(region.strays());
            Stream.concat(Stream.ofNullable(region.record()), region.pins().stream())
                    .forEach(
                            record -> {
                                needed.add(record.getKey());
                                files(mine, record).forEach(file -> needed.add(file.getKey()));
                            });
        }
        long all = 0;
        long orphans = 0;
        for (String prefix : List.of(ObjectKeys.SST_PREFIX, ObjectKeys.PACK_PREFIX)) {
            for (ObjectInfo info : mine.list(prefix, "", 1_000_000)) {
                all += info.length();
                orphans += needed.contains(info.name()) ? 0 : info.length();
            }
        }
        return new long[] {orphans, all};
    }

    private static Stream<ObjectRef> files(ObjectStore mine, ObjectRef record) {
        TabletRecord read =
                RecordCodec.decode(RecordNames.of(record), RecordCodec.read(mine, record));
        return read.getColumnFamiliesList().stream()
                .flatMap(family -> family.getFilesList().stream())
                .map(SstFile::getObject);
    }

    int deleted() {
        return deleted.get();
    }

    /** What is printed of a run. */
    String row() {
        synchronized (stops) {
            return cycles
                    + " cycles, "
                    + deaths
                    + " died in the middle, "
                    + deleted
                    + " objects of "
                    + (deletedBytes.get() >> 10)
                    + " KB deleted"
                    + (stops.isEmpty() ? "" : ", stopped: " + stops);
        }
    }

    @Override
    public void close() {
        store.close();
    }
}
