package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.codec.Ints;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.SystemClock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");

    @TempDir Path folder;

    private final SwitchableStore objects = new SwitchableStore();
    private final TabletModel model = new TabletModel(21, 2000);

    private RocksTablet open(TestStores stores, PreparedRecord record, RegionShape shape) {
        return (RocksTablet)
                stores.tablets.open(
                        record == null
                                ? null
                                : stores.tablets.load(shape.getRegionId(), record.ref()),
                        shape);
    }

    private void write(RocksTablet tablet, int entries) {
        for (int i = 0; i < entries; i++) {
            model.next();
        }
        tablet.apply(model.tail(tablet));
    }

    @Test
    void recordsCoverExactlyTheirIndexWhileWritesGoOn() throws Exception {
        List<PreparedRecord> records = new ArrayList<>();
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true, 4)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            write(tablet, 100);
            for (int round = 0; round < 12; round++) {
                Future<PreparedRecord> publication =
                        pool.submit(() -> stores.publish(tablet, TabletModel.TERM));
                do {
                    write(tablet, 20);
                } while (!publication.isDone());
                records.add(publication.get());
            }
            tablet.close();
        }
        pool.shutdown();
        try (TestStores stores = new TestStores(objects, folder.resolve("b"), false)) {
            for (PreparedRecord record : records) {
                RocksTablet tablet = open(stores, record, WHOLE);
                model.asOf(record.record().getAppliedIndex()).verify(tablet, WHOLE);
                assertThat(tablet.applied().term()).isEqualTo(TabletModel.TERM);
                tablet.close();
            }
        }
        assertThat(records.get(5).record().getParent()).isEqualTo(records.get(4).ref());
        assertThat(records.get(5).record().getSequence()).isEqualTo(6);
    }

    @Test
    void flushesThatNobodyAskedForAreCovered() {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            for (int i = 0; i < 2500; i++) {
                tablet.apply(List.of(model.put(Cf.DEFAULT, i, 8_000)));
            }
            PreparedRecord record = stores.publish(tablet, 4);
            assertThat(record.record().getColumnFamilies(0).getFilesCount()).isGreaterThan(1);
            assertThat(tablet.unpublishedBytes()).isZero();
            tablet.close();
            RocksTablet again = open(stores, record, WHOLE);
            model.verify(again, WHOLE);
            assertThat(again.approximateKeys()).isEqualTo(2500);
            assertThat(again.approximateBytes(new byte[0], new byte[0]))
                    .isBetween(19_000_000L, 21_000_000L);
            assertThat(again.approximateBytes(TabletModel.key(500), TabletModel.key(1000)))
                    .isBetween(3_500_000L, 4_500_000L);
            again.close();
        }
    }

    @Test
    void storeMayBeDownForLong() throws Exception {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true, 3)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            write(tablet, 300);
            stores.publish(tablet, 3);
            objects.down = true;
            for (int round = 0; round < 6; round++) {
                write(tablet, 200);
                assertThatThrownBy(() -> stores.publish(tablet, 3))
                        .isInstanceOf(ObjectStoreException.class);
                model.verify(tablet, WHOLE);
            }
            assertThat(tablet.unpublishedBytes()).isPositive();
            objects.down = false;
            int uploads = objects.uploads.get();
            PreparedRecord record = stores.publish(tablet, 3);
            assertThat(objects.uploads.get() - uploads).isPositive();
            int after = objects.uploads.get();
            stores.publish(tablet, 3);
            assertThat(objects.uploads.get()).isLessThan(after + 20);
            await().until(() -> !tablet.compacting().get());
            try (var pins = Files.list(tablet.instance().folder().pins())) {
                assertThat(pins).isEmpty();
            }
            tablet.close();
            RocksTablet again = open(stores, record, WHOLE);
            model.verify(again, WHOLE);
            again.close();
        }
    }

    @Test
    void nothingIsUploadedTwice() {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true, 100)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            write(tablet, 300);
            PreparedRecord first = stores.publish(tablet, 3);
            int uploads = objects.uploads.get();
            PreparedRecord second = stores.publish(tablet, 3);
            assertThat(objects.uploads).hasValue(uploads);
            assertThat(second.record().getColumnFamiliesList())
                    .isEqualTo(first.record().getColumnFamiliesList());
            write(tablet, 10);
            tablet.close();
            RocksTablet again = open(stores, second, WHOLE);
            again.apply(model.tail(again));
            PreparedRecord third = stores.publish(again, 4);
            assertThat(objects.uploads.get() - uploads).isBetween(1, 3);
            assertThat(
                            RecordFiles.byNumber(third.record()).values().stream()
                                    .map(SstFile::getObject))
                    .containsAll(
                            RecordFiles.byNumber(first.record()).values().stream()
                                    .map(SstFile::getObject)
                                    .toList());
            again.close();
        }
    }

    @Test
    void failedFlushIsRepeatedAndLosesNothing() throws Exception {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            write(tablet, 300);
            Path tables = tablet.instance().folder().tables();
            Path aside = tables.resolveSibling("aside");
            Files.move(tables, aside);
            Flusher hasty = new Flusher(SystemClock.INSTANCE, Duration.ofMillis(1500));
            assertThatThrownBy(() -> hasty.flush(tablet))
                    .isInstanceOf(KvException.class)
                    .hasMessageContaining("did not end");
            write(tablet, 100);
            Files.move(aside, tables);
            PreparedRecord record = stores.publish(tablet, 3);
            assertThat(record.record().getAppliedIndex()).isEqualTo(model.lastIndex());
            tablet.close();
            RocksTablet again = open(stores, record, WHOLE);
            model.verify(again, WHOLE);
            again.close();
        }
    }

    @Test
    void levelZeroStaysShort() {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), false, 4)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            PreparedRecord record = null;
            for (int round = 0; round < 20; round++) {
                write(tablet, 40);
                record = stores.publish(tablet, 3);
                await().until(() -> !tablet.compacting().get());
            }
            for (int family = 0; family < 3; family++) {
                assertThat(record.record().getColumnFamilies(family).getFilesList())
                        .filteredOn(file -> file.getLevel() == 0)
                        .hasSizeLessThan(5);
            }
            model.verify(tablet, WHOLE);
            tablet.close();
            RocksTablet again = open(stores, record, WHOLE);
            model.verify(again, WHOLE);
            again.close();
        }
    }

    @Test
    void stateGoesWithTheIndexOfItsEntry() {
        RegionShape left = TabletModel.shape(8, "", "k00001000");
        RegionShape right = TabletModel.shape(7, "k00001000", "").toBuilder().setVersion(2).build();
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true, 3)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            write(tablet, 500);
            PreparedRecord base = stores.publish(tablet, 3);
            write(tablet, 20);
            TabletRecord flushed =
                    stores.tablets.publisher().draft(tablet, new PublishRequest(3, base.ref()));
            assertThat(flushed.getShape()).isEqualTo(WHOLE);
            TabletRecord first = ChildRecords.clip(flushed, left, 5);
            PreparedRecord child =
                    new PreparedRecord(stores.tablets.publisher().store(first), first);
            SplitChild pending =
                    SplitChild.newBuilder().setShape(left).setFirstRecord(child.ref()).build();
            tablet.applyState(
                    model.mark(), new RegionState(right, List.of(pending), 77, List.of()));
            TabletModel childModel = model.child(99);
            write(tablet, 300);
            model.verify(tablet, right);

            RocksTablet split = open(stores, child, left);
            childModel.verify(split, left);
            for (int i = 0; i < 300; i++) {
                childModel.next();
            }
            split.apply(childModel.tail(split));
            childModel.verify(split, left);

            PreparedRecord parentRecord = stores.publish(tablet, 3);
            assertThat(parentRecord.record().getShape()).isEqualTo(right);
            assertThat(parentRecord.record().getPendingChildrenList()).containsExactly(pending);
            PreparedRecord childRecord = stores.publish(split, 5);
            assertThat(childRecord.record().getLineageList()).hasSize(1);
            tablet.close();
            split.close();
            RocksTablet parentAgain = open(stores, parentRecord, right);
            assertThat(parentAgain.state().pendingChildren()).containsExactly(pending);
            assertThat(parentAgain.state().flashbackStartTs()).isEqualTo(77);
            model.verify(parentAgain, right);
            parentAgain.close();
            RocksTablet childAgain = open(stores, childRecord, left);
            childModel.verify(childAgain, left);
            childAgain.close();
        }
    }

    @Test
    void recordsTellTheNewestCommit() throws Exception {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true)) {
            RocksTablet tablet = open(stores, null, WHOLE);
            assertThat(stores.publish(tablet, 3).record().getMaxCommitTs()).isZero();
            commit(tablet, 30, 20);
            PreparedRecord record = stores.publish(tablet, 3);
            assertThat(record.record().getMaxCommitTs()).isEqualTo(30);
            RegionShape half = TabletModel.shape(8, "", "m");
            assertThat(ChildRecords.clip(record.record(), half, 4).getMaxCommitTs()).isEqualTo(30);
            tablet.close();

            tablet = open(stores, record, WHOLE);
            commit(tablet, 25);
            assertThat(stores.publish(tablet, 3).record().getMaxCommitTs()).isEqualTo(30);
            commit(tablet, -7);
            assertThat(stores.publish(tablet, 3).record().getMaxCommitTs()).isEqualTo(-7);
            tablet.close();

            TabletRecord silent = record.record().toBuilder().clearMaxCommitTs().build();
            tablet =
                    (RocksTablet)
                            stores.tablets.open(new PreparedRecord(record.ref(), silent), WHOLE);
            commit(tablet, 40);
            assertThat(stores.publish(tablet, 3).record().hasMaxCommitTs()).isFalse();
            tablet.close();
        }
    }

    private static void commit(RocksTablet tablet, long... commitTs) {
        WriteBatchBuilder batch = new WriteBatchBuilder();
        for (long ts : commitTs) {
            batch.put(Cf.WRITE, Ints.withDesc(new byte[] {'k'}, ts), new byte[] {'P', 1});
        }
        tablet.apply(
                List.of(
                        Entry.newBuilder()
                                .setIndex(tablet.applied().index() + 1)
                                .setTerm(3)
                                .setKind(EntryKind.WRITE)
                                .setData(batch.build())
                                .build()));
    }
}
