package io.tidekv.compute.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.backup.Branches;
import io.tidekv.objects.backup.CutSource;
import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.gc.Collector;
import io.tidekv.objects.gc.GcOptions;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.restore.StateMaker;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A cluster, a branch of it, and a branch of that, with their collectors, in one object store. */
class BranchTest {
    private static final long PARENT = 7;

    /** Raw data: first records name their parent's files as they are. */
    private static final int MODE = 2;

    private static final long TS = 1_700_000_000_000L << 18;

    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore all = new MemoryObjectStore(clock);
    private final Cluster parent = new Cluster(PARENT);
    private Sleeper sleeper = pause -> {};

    private StoreContext context() {
        return new StoreContext(clock, Randomness.seeded(3), sleeper);
    }

    /** What runs in one prefix. */
    private final class Cluster {
        final long id;
        final ObjectStore view;
        final MemoryTabletStore tablets;
        final StateMaker maker;
        final Map<Long, ObjectRef> current = new LinkedHashMap<>();
        long term = 5;

        Cluster(long id) {
            this.id = id;
            view = all.under(ObjectKeys.cluster(id));
            tablets = new MemoryTabletStore(id, MODE, view, Randomness.seeded(id));
            maker = new TabletStateMaker(tablets, () -> {});
        }

        void begin(long region, String start, String end, String... keys) {
            RegionShape shape =
                    RegionShape.newBuilder()
                            .setRegionId(region)
                            .setStartKey(ByteString.copyFromUtf8(start))
                            .setEndKey(ByteString.copyFromUtf8(end))
                            .setVersion(1)
                            .build();
            try (StateMaker.Replay replay = maker.beginEmpty(shape, MODE, term)) {
                publish(region, replay, 1, keys);
            }
        }

        /** Writes and publishes; nothing of the record before is named any more. */
        void write(long region, String... keys) {
            term++;
            PreparedRecord at = load(region);
            try (StateMaker.Replay replay = maker.begin(at.ref(), at.record(), term)) {
                publish(region, replay, at.record().getAppliedIndex() + 1, keys);
            }
        }

        private void publish(long region, StateMaker.Replay replay, long index, String... keys) {
            WriteBatchBuilder batch = new WriteBatchBuilder();
            for (String key : keys) {
                batch.put(Cf.DEFAULT, key.getBytes(StandardCharsets.UTF_8), new byte[100]);
            }
            replay.apply(
                    Entry.newBuilder()
                            .setIndex(index)
                            .setTerm(1)
                            .setKind(EntryKind.WRITE)
                            .setData(batch.build())
                            .build());
            current.put(region, tablets.publisher().store(replay.finish()));
        }

        PreparedRecord load(long region) {
            return tablets.load(region, current.get(region));
        }

        List<String> files() {
            return current.keySet().stream()
                    .map(region -> load(region).record())
                    .flatMap(record -> record.getColumnFamiliesList().stream())
                    .flatMap(family -> family.getFilesList().stream())
                    .map(file -> file.getObject().getKey())
                    .toList();
        }

        String rows() {
            TreeMap<String, Integer> rows = new TreeMap<>();
            for (long region : current.keySet()) {
                TabletRecord record = load(region).record();
                try (Tablet tablet = tablets.open(load(region), record.getShape());
                        KvSnapshot snapshot = tablet.snapshot(record.getShape());
                        KvIterator each = snapshot.iterator(Cf.DEFAULT, new byte[0], null)) {
                    for (each.seekToFirst(); each.isValid(); each.next()) {
                        rows.put(new String(each.key(), StandardCharsets.UTF_8), 1);
                    }
                }
            }
            return String.join(" ", rows.keySet());
        }

        private Cut roots() {
            Map<Long, RegionRoots> regions = new LinkedHashMap<>();
            current.forEach(
                    (region, record) ->
                            regions.put(
                                    region,
                                    new RegionRoots(
                                            region,
                                            Math.max(term, load(region).record().getTerm()),
                                            true,
                                            record,
                                            List.of(),
                                            Set.of())));
            return new Cut(1_000_000_000, regions);
        }

        /** Two cycles, far enough apart that all garbage goes; how much went. */
        int collect() throws InterruptedException {
            Backups held = new Backups(view, Randomness.seeded(1));
            Collector collector =
                    new Collector(view, this::roots, held::held, GcOptions.DEFAULT, context());
            collector.run(false);
            clock.advanceMillis(Duration.ofHours(2).toMillis());
            return collector.run(false).deleted();
        }

        Branches branches() {
            return new Branches(all, id, context());
        }

        Cluster branch(String name) {
            BackupSet held =
                    branches()
                            .hold(
                                    name,
                                    begins -> {
                                        begins.run();
                                        return new CutSource.Cut(TS, List.copyOf(current.values()));
                                    });
            Cluster branch = new Cluster(held.branchId());
            Restoration made =
                    Restoration.branch(
                            view,
                            held,
                            branch.view,
                            branch.id,
                            branch.maker,
                            Goal.LATEST,
                            Randomness.seeded(9));
            assertThat(made.plan().getClusterId()).isEqualTo(branch.id);
            for (RestoredRegion region : made.plan().getRegionsList()) {
                branch.current.put(region.getShape().getRegionId(), region.getFirstRecord());
                branch.term = Math.max(branch.term, region.getTerm());
            }
            return branch;
        }

        /** Names of all objects, but for those of collectors. */
        List<String> objects() {
            return view.list("", "", 10_000).stream()
                    .map(ObjectInfo::name)
                    .filter(name -> !name.startsWith("gc/"))
                    .toList();
        }
    }

    @Test
    void clustersShareFilesAndNothingElse() throws Exception {
        parent.begin(1, "", "m", "a", "b");
        parent.begin(2, "m", "", "n", "o");
        List<String> shared = parent.files();
        Cluster branch = parent.branch("dev");
        assertThat(branch.rows()).isEqualTo("a b n o");
        assertThat(branch.files())
                .containsExactlyElementsOf(shared.stream().map(f -> "of/7/" + f).toList());

        // The parent goes on and collects; what it does not need itself stays for the branch.
        parent.write(1, "c");
        parent.write(2, "p");
        assertThat(parent.collect()).isZero();
        assertThat(parent.rows()).isEqualTo("a b c n o p");
        assertThat(branch.rows()).isEqualTo("a b n o");

        // The branch goes on and collects its own only.
        List<String> before = parent.objects();
        branch.write(1, "d");
        branch.write(1, "e");
        assertThat(branch.collect()).as("two records, and the file of one").isEqualTo(3);
        assertThat(parent.objects()).isEqualTo(before);
        assertThat(branch.rows()).isEqualTo("a b d e n o");
        assertThat(parent.rows()).isEqualTo("a b c n o p");

        // A branch of the branch reads from both, by the names that they have.
        Cluster deep = branch.branch("deep");
        assertThat(deep.rows()).isEqualTo("a b d e n o");
        assertThat(deep.files()).contains("of/7/" + shared.get(1));
        assertThat(deep.files()).anyMatch(file -> file.startsWith("of/" + branch.id + "/sst/1/"));
        assertThatThrownBy(() -> parent.branches().delete("dev"))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("deep");
        branch.branches().delete("deep");
        assertThat(deep.objects()).isEmpty();

        parent.branches().delete("dev");
        assertThat(branch.objects()).isEmpty();
        assertThat(parent.rows()).isEqualTo("a b c n o p");
        assertThat(parent.collect()).as("two records and two files").isEqualTo(4);
        assertThat(parent.rows()).isEqualTo("a b c n o p");
        assertThat(all.list("7/meta/", "", 10)).isEmpty();
    }

    @Test
    void anOthersObjectsAreOnlyRead() {
        parent.begin(1, "", "", "a");
        Cluster branch = parent.branch("dev");
        String file = branch.files().get(0);
        assertThat(branch.view.head(file).name()).isEqualTo(file);
        byte[] bytes = branch.view.get(file, 10_000);
        assertThat(branch.view.getRange(file, 1, 5))
                .hasSize(5)
                .containsExactly(bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
        assertThatThrownBy(() -> branch.view.delete(file))
                .isInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("another cluster");
        assertThatThrownBy(() -> branch.view.putIfAbsent("of/7/sst/1/x", bytes))
                .isInstanceOf(ObjectStoreException.class);
        assertThat(branch.view.list("of/", "", 10)).isEmpty();
        assertThat(parent.view.head(parent.files().get(0))).isNotNull();
    }

    @Test
    void aDeletionThatWasCutOffIsBegunAgain() throws Exception {
        parent.begin(1, "", "", "a");
        Cluster branch = parent.branch("dev");
        branch.write(1, "b");
        int[] left = {0};
        sleeper =
                pause -> {
                    if (left[0]-- == 0) {
                        throw new InterruptedException();
                    }
                };
        assertThatThrownBy(() -> parent.branches().delete("dev"))
                .isInstanceOf(InterruptedException.class);
        assertThat(branch.objects()).isNotEmpty();
        assertThat(parent.branches().list()).as("still held").hasSize(1);
        sleeper = pause -> {};
        parent.branches().delete("dev");
        assertThat(branch.objects()).isEmpty();
        assertThat(parent.branches().list()).isEmpty();
        assertThatThrownBy(() -> parent.branches().delete("dev")).hasMessageContaining("no branch");
    }

    /** All that a branch has is its part of the bucket, and what it reads of its parent's. */
    @Test
    void aBranchIsRecoveredFromItsObjects() {
        parent.begin(1, "", "m", "a");
        parent.begin(2, "m", "", "n");
        Cluster branch = parent.branch("dev");
        branch.write(1, "b");
        Restoration made =
                Restoration.newest(
                        branch.view, branch.id, branch.maker, Goal.LATEST, Randomness.seeded(4));
        branch.current.clear();
        made.plan()
                .getRegionsList()
                .forEach(
                        region ->
                                branch.current.put(
                                        region.getShape().getRegionId(), region.getFirstRecord()));
        assertThat(branch.rows()).isEqualTo("a b n");
        assertThat(made.problems()).isEmpty();
    }
}
