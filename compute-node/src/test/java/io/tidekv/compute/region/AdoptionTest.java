package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.time.SystemClock;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.GranuleSettings;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.rocks.RocksTabletStore;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.UploadOptions;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.compaction.CompactionDone;
import io.tidekv.proto.compaction.CompactionJob;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Roots;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compactions that somebody else does for a region, on RocksDB. */
class AdoptionTest {
    private static final int ROWS = 60;

    private final TestCluster cluster = new TestCluster();
    private final List<Place> places = new ArrayList<>();
    @TempDir private Path folder;
    private TestCluster.Node owner;
    private Place worker;
    private long id;

    /** A process's tablets. */
    private record Place(SstCache cache, Uploader uploader, RocksTabletStore tablets) {
        void close() {
            tablets.close();
            uploader.close();
            cache.close();
        }
    }

    /** What a worker is given. */
    private static final class Inbox {
        private final BlockingQueue<CompactionJob> jobs = new LinkedBlockingQueue<>();
        private final CompactionBoard.Worker desk;

        Inbox(TestCluster.Node node) {
            desk = node.compactions.join(jobs::add);
            desk.ready();
        }

        CompactionJob next() throws InterruptedException {
            CompactionJob job = jobs.poll(60, TimeUnit.SECONDS);
            assertThat(job).as("a job").isNotNull();
            return job;
        }
    }

    @BeforeEach
    void start() {
        worker = place("worker", Integer.MAX_VALUE);
        owner = node("a");
        id = cluster.onlyRegion();
        cluster.awaitLeading(id, owner);
    }

    @AfterEach
    void stop() {
        cluster.close();
        places.forEach(Place::close);
    }

    private Place place(String name, int compactAtFiles) {
        TabletSettings base = TabletSettings.of(TestCluster.CLUSTER_ID, 1, folder.resolve(name));
        TabletSettings settings =
                new TabletSettings(
                        base.clusterId(),
                        base.apiMode(),
                        folder.resolve(name).resolve("tablets"),
                        base.scratch(),
                        8 << 20,
                        64 << 20,
                        8 << 20,
                        64 << 10,
                        100,
                        compactAtFiles,
                        1 << 30,
                        1 << 30,
                        Duration.ofSeconds(30),
                        true,
                        GranuleSettings.NONE);
        StoreContext context = StoreContext.system();
        CacheOptions cacheOptions = CacheOptions.of(folder.resolve(name).resolve("cache"), 1 << 30);
        SstCache cache = SstCache.open(cluster.bucket, cacheOptions, context);
        Uploader uploader = new Uploader(cluster.bucket, cache, UploadOptions.defaults(), context);
        Place place =
                new Place(
                        cache,
                        uploader,
                        RocksTabletStore.open(
                                settings,
                                cluster.bucket,
                                cache,
                                uploader,
                                cluster.scheduler,
                                context));
        places.add(place);
        return place;
    }

    private TestCluster.Node node(String name) {
        Place place = place(name, 2);
        TestCluster.Node node =
                cluster.start(name, TestCluster.OPTIONS, SystemClock.INSTANCE, place.tablets);
        place.tablets.lendCompactions(node.compactions::isWanted, 0);
        return node;
    }

    private static String key(int number) {
        return "k" + (1000 + number);
    }

    /** Every third row is overwritten, some are new. */
    private ObjectRef publish(int round) throws Exception {
        for (int i = round % 3; i < ROWS; i += 3) {
            cluster.putAnywhere(key(i), key(i) + " of " + round);
        }
        return owner.region(id).publish().get(60, TimeUnit.SECONDS);
    }

    private void verify(int... rounds) {
        for (int i = 0; i < ROWS; i++) {
            String want = null;
            for (int round : rounds) {
                want = i % 3 == round % 3 ? key(i) + " of " + round : want;
            }
            assertThat(cluster.getAnywhere(key(i))).isEqualTo(want);
        }
    }

    private Compacted compact(CompactionJob job) {
        PreparedRecord record = worker.tablets.load(job.getRegionId(), job.getRecord());
        return worker.tablets.compactClone(
                new LentCompaction(
                        record,
                        job.getColumnFamily(),
                        job.getInputsList(),
                        job.getOutputLevel(),
                        0,
                        job.getTableBytes()),
                job.getTerm());
    }

    private static CompactionDone done(CompactionJob job, Compacted result) {
        return CompactionDone.newBuilder()
                .setJobId(job.getJobId())
                .addAllRemoved(result.removed())
                .addAllOutputs(result.outputs())
                .build();
    }

    private Roots roots() {
        return cluster.pd.report(id).getRoots();
    }

    /** Names of the objects of a record. */
    private List<String> objects(ObjectRef ref) {
        TabletRecord record = worker.tablets.load(id, ref).record();
        List<String> objects = new ArrayList<>();
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            family.getFilesList().forEach(file -> objects.add(file.getObject().getKey()));
        }
        return objects;
    }

    private void awaitCount(TestCluster.Node node, String state, int count) {
        String line = "tidekv_remote_compactions_total{state=\"" + state + "\"} " + count + ".0";
        await().atMost(PATIENCE).until(() -> node.metrics.expose().contains(line));
    }

    private void awaitAdopted(Compacted result) {
        List<String> outputs =
                result.outputs().stream().map(file -> file.getObject().getKey()).toList();
        awaitCount(owner, "adopted", 1);
        await().atMost(PATIENCE).until(() -> !roots().hasUploadsSince());
        assertThat(objects(roots().getRecord())).containsAll(outputs);
    }

    @Test
    void aResultIsAdoptedWhileWritesGoOn() throws Exception {
        Inbox inbox = new Inbox(owner);
        publish(0);
        publish(1);
        CompactionJob job = inbox.next();
        assertThat(job.getTerm()).isEqualTo(cluster.pd.report(id).getTerm());
        await().atMost(PATIENCE).until(() -> roots().hasUploadsSince());
        assertThat(roots().getUploadsSince()).isEqualTo(job.getRecord());
        try (Load load = new Load(cluster, "w", 200)) {
            await().atMost(PATIENCE).until(() -> load.count() > 100);
            Compacted result = compact(job);
            publish(2);
            assertThat(roots().getUploadsSince()).isEqualTo(job.getRecord());
            inbox.desk.done(done(job, result));
            awaitAdopted(result);
            long before = load.count();
            await().atMost(PATIENCE).until(() -> load.count() > before + 100);
            load.stop();
            load.verify();
        }
        verify(0, 1, 2);
        publish(3);
        verify(1, 2, 3);
    }

    @Test
    void whoeverAsksForARecordMeanwhileGetsOne() throws Exception {
        Inbox inbox = new Inbox(owner);
        publish(0);
        publish(1);
        CompactionJob job = inbox.next();
        Compacted result = compact(job);
        inbox.desk.done(done(job, result));
        for (int round = 2; round < 12; round++) {
            publish(round);
        }
        awaitCount(owner, "adopted", 1);
        publish(12);
        verify(10, 11, 12);
    }

    @Test
    void withoutAnAnswerTheTabletCompactsItself() throws Exception {
        Inbox inbox = new Inbox(owner);
        publish(0);
        publish(1);
        CompactionJob job = inbox.next();
        Compacted result = compact(job);
        List<String> inputs = objects(job.getRecord());
        inbox.desk.leave();
        awaitCount(owner, "failed", 1);
        inbox.desk.done(done(job, result));
        await().atMost(PATIENCE)
                .until(() -> objects(publish(2)).stream().noneMatch(inputs::contains));
        assertThat(objects(publish(2)))
                .doesNotContain(result.outputs().get(0).getObject().getKey());
        await().atMost(PATIENCE).until(() -> !roots().hasUploadsSince());
        verify(0, 1, 2);
    }

    @Test
    void aResultThatIsNotWhatItSaysIsRefused() throws Exception {
        List<UnaryOperator<SstFile.Builder>> lies =
                List.of(
                        file ->
                                file.setObject(
                                        file.getObject().toBuilder()
                                                .setCrc32C(file.getObject().getCrc32C() + 1)),
                        file -> file.clearCustom());
        int round = 1;
        publish(0);
        for (UnaryOperator<SstFile.Builder> lie : lies) {
            Inbox inbox = new Inbox(owner);
            CompactionJob job = jobAfterPublishing(inbox, round);
            round += 3;
            Compacted result = compact(job);
            SstFile bad = lie.apply(result.outputs().get(0).toBuilder()).build();
            inbox.desk.done(done(job, new Compacted(result.removed(), List.of(bad))));
            awaitCount(owner, "refused", lies.indexOf(lie) + 1);
            inbox.desk.leave();
        }
        verify(0, round - 3);
    }

    /** A tablet that has just compacted by itself has none to give away for some publications. */
    private CompactionJob jobAfterPublishing(Inbox inbox, int round) throws Exception {
        CompactionJob job = null;
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (job == null) {
            assertThat(System.nanoTime()).as("no job").isLessThan(deadline);
            publish(round);
            job = inbox.jobs.poll(200, TimeUnit.MILLISECONDS);
        }
        return job;
    }

    @Test
    void oneWhoHasBeenReplacedAdoptsNothing() throws Exception {
        Inbox inbox = new Inbox(owner);
        publish(0);
        publish(1);
        CompactionJob job = inbox.next();
        Compacted result = compact(job);
        TestCluster.Node next = node("b");
        owner.isolate();
        inbox.desk.done(done(job, result));
        cluster.pd.fail(owner.id());
        cluster.awaitLeading(id, next);
        owner.kill();
        verify(0, 1);
        for (int i = 2; i < ROWS; i += 3) {
            cluster.putAnywhere(key(i), key(i) + " of 2");
        }
        ObjectRef published = next.region(id).publish().get(60, TimeUnit.SECONDS);
        assertThat(objects(published)).doesNotContain(result.outputs().get(0).getObject().getKey());
        verify(0, 1, 2);
    }

    @Test
    void aRegionThatHasSplitMeanwhileGoesOnWithout() throws Exception {
        Inbox inbox = new Inbox(owner);
        publish(0);
        publish(1);
        CompactionJob job = inbox.next();
        Compacted result = compact(job);
        owner.region(id).split(1, List.of(TestCluster.bytes(key(30)))).get(60, TimeUnit.SECONDS);
        awaitCount(owner, "failed", 1);
        inbox.desk.done(done(job, result));
        verify(0, 1);
        ObjectRef published = owner.region(id).publish().get(60, TimeUnit.SECONDS);
        assertThat(objects(published)).doesNotContain(result.outputs().get(0).getObject().getKey());
    }
}
