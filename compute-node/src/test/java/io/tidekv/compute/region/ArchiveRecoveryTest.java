package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.SystemClock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.restore.TabletStateMaker;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.backup.CutSource;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.restore.Restoration.Part;
import io.tidekv.objects.restore.RestoreRefused;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a cluster in memory has acknowledged comes back from its records and its archived log. */
class ArchiveRecoveryTest {
    private static final long NOW = SystemClock.INSTANCE.wallMillis();

    private final TestCluster cluster = new TestCluster();
    private final MemoryTabletStore tablets =
            new MemoryTabletStore(TestCluster.CLUSTER_ID, 1, cluster.bucket, Randomness.seeded(99));
    private long archived;
    private long left;
    private long right;

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** Copies the log until all is known to be committed that the regions have applied. */
    private void archive(TestCluster.Node node, long wallMillis) {
        await().atMost(PATIENCE)
                .until(
                        () -> {
                            cluster.wal.archive(
                                    cluster.bucket, TestCluster.CLUSTER_ID, ++archived, wallMillis);
                            ArchiveReader reader = ArchiveReader.open(cluster.bucket, 0);
                            return node.store.regions().stream()
                                    .allMatch(
                                            region ->
                                                    isCovered(
                                                            reader, region.shape().getRegionId()));
                        });
    }

    private boolean isCovered(ArchiveReader reader, long region) {
        return reader.region(region).lastIndex() >= cluster.pd.report(region).getAppliedIndex();
    }

    /** Later than everything that this test publishes. */
    private static long later(int seconds) {
        return NOW + 60_000 + seconds * 1000L;
    }

    private Restoration recover() {
        return recover(Goal.LATEST);
    }

    private Restoration recover(Goal goal) {
        return Restoration.newest(
                cluster.bucket,
                TestCluster.CLUSTER_ID,
                new TabletStateMaker(tablets, () -> {}),
                goal,
                Randomness.seeded(3));
    }

    /** All rows of the restored regions. */
    private TreeMap<String, Integer> rows(Restoration made) {
        TreeMap<String, Integer> rows = new TreeMap<>();
        for (RestoredRegion region : made.plan().getRegionsList()) {
            PreparedRecord first =
                    tablets.load(region.getShape().getRegionId(), region.getFirstRecord());
            assertThat(first.record().getAppliedIndex()).isZero();
            try (Tablet tablet = tablets.open(first, region.getShape());
                    KvSnapshot snapshot = tablet.snapshot(region.getShape());
                    var all = snapshot.iterator(Cf.DEFAULT, new byte[0], null)) {
                for (all.seekToFirst(); all.isValid(); all.next()) {
                    rows.put(new String(all.key(), StandardCharsets.UTF_8), all.value().length);
                }
            }
        }
        return rows;
    }

    @Test
    void whatWasWrittenAfterTheRecordIsReplayed() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        cluster.putAnywhere("b", "1");
        node.region(id).split(1, List.of(bytes("m"))).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
        cluster.putAnywhere("c", "22");
        cluster.putAnywhere("z", "333");
        // An entry in parts.
        TestCluster.large(node.region(id), "p").get(60, TimeUnit.SECONDS);
        archive(node, later(10));
        node.kill();

        Restoration made = recover();
        assertThat(made.problems()).isEmpty();
        TreeMap<String, Integer> rows = rows(made);
        assertThat(rows).hasSize(3 + TestCluster.LARGE_ROWS);
        assertThat(rows).containsEntry("b", 1).containsEntry("c", 2).containsEntry("z", 3);
        assertThat(made.parts()).allMatch(part -> part.replayedEntries() > 0);
        assertThat(made.parts()).allMatch(part -> part.untilMillis() > 0);

        assertThat(made.whole()).as("nothing goes beyond the archive").isTrue();
        assertThat(made.atMillis()).isZero();

        // A second attempt, after one that was given up, comes to the same.
        Restoration again = recover();
        assertThat(rows(again)).isEqualTo(rows);
        assertThat(again.plan().getRegions(0).getTerm())
                .isGreaterThan(made.plan().getRegions(0).getTerm());
    }

    @Test
    void aPointInTimeLeavesOutWhatWasWrittenLater() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        node.region(id).split(1, List.of(bytes("m"))).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
        cluster.putAnywhere("c", "22");
        cluster.putAnywhere("z", "333");
        archive(node, later(10));
        cluster.putAnywhere("d", "1");
        cluster.putAnywhere("y", "1");
        archive(node, later(20));
        node.kill();

        Restoration made = recover(Goal.at(later(15)));
        assertThat(rows(made).keySet()).containsExactly("c", "z");
        assertThat(made.whole()).isTrue();
        assertThat(made.atMillis()).isEqualTo(later(15));
        assertThat(rows(recover(Goal.at(later(19)))).keySet()).containsExactly("c", "d", "y", "z");
        assertThatThrownBy(() -> recover(Goal.at(later(20))))
                .isInstanceOf(RestoreRefused.class)
                .hasMessageContaining("only until");
        // Before any record the log of the first region alone tells of nothing else.
        assertThatThrownBy(() -> recover(Goal.at(1000))).isInstanceOf(RestoreRefused.class);
    }

    /** Children that were born since are made of what the backup has of their parents. */
    @Test
    void aPointInTimeIsReachedFromABackup() throws Exception {
        cluster.wal.keepAll();
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        cluster.putAnywhere("b", "1");
        cluster.putAnywhere("k", "1");
        cluster.putAnywhere("p", "1");
        node.region(id).split(1, List.of(bytes("m"))).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
        BackupSet backup = backUp(node);
        cluster.putAnywhere("a", "22");
        cluster.putAnywhere("z", "22");
        split("t");
        cluster.putAnywhere("u", "333");
        cluster.putAnywhere("n", "333");
        split("e");
        cluster.putAnywhere("d", "4444");
        split("c");
        cluster.putAnywhere("b", "4444");
        archive(node, later(10));
        cluster.putAnywhere("later", "1");
        archive(node, later(20));
        node.kill();
        List<String> held =
                backup.regions().stream().map(region -> region.record().getKey()).toList();
        cluster.bucket.list("record/", "", 1000).stream()
                .filter(record -> !held.contains(record.name()))
                .forEach(record -> cluster.bucket.delete(record.name()));

        Restoration made = recover(backup, Goal.at(later(15)));
        assertThat(made.problems()).isEmpty();
        assertThat(made.whole()).isTrue();
        assertThat(made.parts()).hasSize(5);
        assertThat(rows(made))
                .isEqualTo(
                        new TreeMap<>(
                                Map.of(
                                        "a", 2, "b", 4, "d", 4, "k", 1, "n", 3, "p", 1, "u", 3, "z",
                                        2)));
        assertThat(rows(recover(backup, Goal.LATEST)).keySet()).containsExactly("b", "k", "p");
        assertThatThrownBy(() -> recover(backup, Goal.at(NOW - 60_000)))
                .isInstanceOf(RestoreRefused.class)
                .hasMessageContaining("later time");
        assertThatThrownBy(() -> recover(backup, Goal.at(later(20))))
                .isInstanceOf(RestoreRefused.class)
                .hasMessageContaining("only until");
    }

    private void split(String key) throws Exception {
        int before = cluster.pd.regionIds().size();
        RegionAccess.Region region = cluster.find(key);
        region.split(region.shape().getVersion(), List.of(bytes(key))).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == before + 1);
    }

    private BackupSet backUp(TestCluster.Node node) {
        return new Backups(cluster.bucket, Randomness.seeded(4))
                .create(
                        "a",
                        TestCluster.CLUSTER_ID,
                        begins -> {
                            begins.run();
                            return new CutSource.Cut(
                                    NOW << 18,
                                    node.store.regions().stream()
                                            .map(region -> region.publish().join())
                                            .toList());
                        });
    }

    private Restoration recover(BackupSet backup, Goal goal) {
        return Restoration.of(
                cluster.bucket,
                backup,
                new TabletStateMaker(tablets, () -> {}),
                goal,
                Randomness.seeded(3));
    }

    /** Two regions that meet at "m" and have both published, with a row each behind that. */
    private TestCluster.Node split() throws Exception {
        TestCluster.Node node = cluster.start("a");
        right = cluster.onlyRegion();
        cluster.awaitLeading(right, node);
        left =
                node.region(right)
                        .split(1, List.of(bytes("m")))
                        .get(60, TimeUnit.SECONDS)
                        .get(0)
                        .getRegionId();
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
        cluster.putAnywhere("c", "22");
        cluster.putAnywhere("z", "333");
        return node;
    }

    /** Makes the left region part of the right one. */
    private void merge() {
        cluster.mergeUntil(left, right, () -> cluster.pd.regionIds().size() == 1);
    }

    @Test
    void aMergeIsReplayed() throws Exception {
        cluster.wal.keepAll();
        TestCluster.Node node = split();
        BackupSet backup = backUp(node);
        archive(node, later(10));
        merge();
        cluster.putAnywhere("d", "1");
        cluster.putAnywhere("y", "1");
        archive(node, later(20));
        node.kill();

        Restoration made = recover();
        assertThat(made.problems()).isEmpty();
        assertThat(rows(made).keySet()).containsExactly("c", "d", "y", "z");
        assertThat(made.parts()).hasSize(1);
        assertThat(made.parts().get(0).replayedEntries()).isPositive();
        assertThat(made.whole()).isTrue();
        // A moment after the merge, and one at which its record was there and it was not decided.
        assertThat(rows(recover(Goal.at(later(19)))).keySet()).containsExactly("c", "d", "y", "z");
        Restoration before = recover(Goal.at(later(15)));
        assertThat(before.problems()).isEmpty();
        assertThat(rows(before).keySet()).containsExactly("c", "z");
        // What was split off since a backup is made of what that has: not behind a merge.
        assertThat(rows(recover(backup, Goal.at(later(15)))).keySet()).containsExactly("c", "z");
        assertThatThrownBy(() -> recover(backup, Goal.at(later(19))))
                .isInstanceOf(RestoreRefused.class)
                .hasMessageContaining("region " + right + " takes region " + left + " over");
    }

    /** The record stays in the bucket, newer than all others of the region that was to grow. */
    @Test
    void aMergeThatWasGivenUpIsNotReplayed() throws Exception {
        TestCluster.Node node = split();
        cluster.dieMerging(node, EntryKind.PREPARE_MERGE, 3, left, right);
        TestCluster.Node other = cluster.start("b");
        cluster.pd.fail(node.id());
        cluster.putAnywhere("d", "1");
        cluster.putAnywhere("y", "1");
        assertThat(cluster.pd.regionIds()).as("the merge was given up").hasSize(2);
        archive(other, later(10));
        other.kill();

        Restoration made = recover();
        assertThat(made.problems()).isEmpty();
        assertThat(made.parts()).hasSize(2);
        assertThat(rows(made).keySet()).containsExactly("c", "d", "y", "z");
    }

    @Test
    void aMergeWithoutItsRecordIsRefused() throws Exception {
        TestCluster.Node node = split();
        archive(node, later(10));
        // What is not reported is not trimmed, so that the archive gets all of it.
        cluster.pd.holdMerges(true);
        cluster.mergeUntil(
                left, right, () -> cluster.pd.report(right).getShape().getStartKey().isEmpty());
        cluster.putAnywhere("d", "1");
        archive(node, later(20));
        ObjectRef record = cluster.pd.report(right).getRoots().getRecord();
        node.kill();
        cluster.bucket.delete(record.getKey());

        // The source may have ended before its log said that its end is committed, which only the
        // record would tell: then that is the reason.
        String over = "region " + right + " takes region " + left + " over";
        assertThatThrownBy(() -> recover(Goal.at(later(19))))
                .isInstanceOf(RestoreRefused.class)
                .message()
                .containsPattern("has everything only until|" + over);
        assertThat(rows(recover(Goal.at(later(15)))).keySet()).contains("c", "z");
        Restoration torn = recover(Goal.EVERYTHING);
        assertThat(torn.problems())
                .anyMatch(text -> text.contains("region " + right + " takes region " + left));
        assertThat(rows(torn).keySet()).containsExactly("c", "z");
    }

    @Test
    void aChildThatNeverPublishedLivesOnItsParentsLog() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        cluster.putAnywhere("b", "1");
        node.region(id).split(1, List.of(bytes("x"))).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
        long left = cluster.find("b").shape().getRegionId();
        cluster.wal.loseCreates(true);
        RegionAccess.Region region = node.region(left);
        List<CompletableFuture<?>> writes = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < 2000 && region.shape().getVersion() == 2; i++) {
            String key = (i % 2 == 0 ? "c" : "n") + i;
            keys.add(key);
            writes.add(
                    region.write(
                            2, new WriteBatchBuilder().put(Cf.DEFAULT, bytes(key), bytes("v"))));
            if (i == 200) {
                region.split(2, List.of(bytes("m")));
            }
            if (i % 50 == 0) {
                CompletableFuture<?> last = writes.get(i);
                await().atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(2))
                        .until(() -> last.isDone() || region.shape().getVersion() > 2);
            }
        }
        await().atMost(PATIENCE).until(() -> region.shape().getVersion() > 2);
        cluster.putAnywhere("o", "1");
        TreeMap<String, Integer> acknowledged = new TreeMap<>();
        for (int i = 0; i < keys.size(); i++) {
            // Others came with the version before the split.
            if (writes.get(i).isDone() && !writes.get(i).isCompletedExceptionally()) {
                acknowledged.put(keys.get(i), 1);
            }
        }
        assertThat(acknowledged).hasSizeGreaterThan(100);
        acknowledged.put("b", 1);
        acknowledged.put("o", 1);
        archive(node, later(10));
        node.kill();

        Restoration made = recover();
        assertThat(made.problems()).isEmpty();
        assertThat(made.parts()).hasSize(3);
        assertThat(rows(made)).containsAllEntriesOf(acknowledged);
        assertThat(made.parts().stream().map(Part::regionId).distinct()).hasSize(3);
    }
}
