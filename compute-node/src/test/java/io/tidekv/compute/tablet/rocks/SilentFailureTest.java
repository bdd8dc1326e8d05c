package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Randomness;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** What RocksDB does without an error, and we must not let pass. */
class SilentFailureTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");

    @TempDir Path folder;

    private final SwitchableStore objects = new SwitchableStore();
    private final TabletModel model = new TabletModel(31, 2000);
    private TestStores stores;
    private PreparedRecord record;

    @BeforeEach
    void publish() {
        Path disk = folder.resolve("a");
        stores = new TestStores(objects, disk, TestStores.impatient(disk));
        RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 300; i++) {
                tablet.apply(List.of(model.next()));
            }
            record = stores.publish(tablet, 3);
        }
        tablet.close();
    }

    @AfterEach
    void close() {
        stores.close();
    }

    private RocksTablet open() {
        return (RocksTablet) stores.tablets.open(record, WHOLE);
    }

    private void assertRefused(TabletRecord changed, RegionShape shape, String why) {
        PreparedRecord prepared = new PreparedRecord(record.ref(), changed);
        assertThatThrownBy(() -> stores.tablets.open(prepared, shape))
                .isInstanceOf(KvException.class)
                .hasMessageContaining(why)
                .hasMessageContaining(record.ref().getKey());
    }

    @Test
    void recordsThatMakeNoSenseAreRefused() {
        TabletRecord good = record.record();
        TabletRecord.Builder overlap = good.toBuilder();
        overlap.getColumnFamiliesBuilder(0).getFilesBuilderList().forEach(file -> file.setLevel(6));
        assertRefused(overlap.build(), WHOLE, "overlap");
        assertRefused(good.toBuilder().setNextFile(5).build(), WHOLE, "next file");
        assertRefused(good.toBuilder().setClusterId(1).build(), WHOLE, "cluster");
        assertRefused(good.toBuilder().setApiMode(2).build(), WHOLE, "mode");
        assertRefused(good, TabletModel.shape(7, "a", ""), "range");
        TabletRecord.Builder renamed = good.toBuilder();
        renamed.getColumnFamiliesBuilder(1).setName("locks");
        assertRefused(renamed.build(), WHOLE, "column family");
        TabletRecord.Builder unnamed = good.toBuilder();
        unnamed.getColumnFamiliesBuilder(0).getFilesBuilder(0).clearObject();
        assertRefused(unnamed.build(), WHOLE, "object");
    }

    /** RocksDB opens this set, with an empty column family. */
    @Test
    void liveSetIsComparedAfterOpening() {
        FileSet files = RecordFiles.empty();
        files.nextFile(record.record().getNextFile());
        files.lastSequence(record.record().getLastSequence());
        for (SstFile file : record.record().getColumnFamilies(0).getFilesList()) {
            files.family(0).add(file.toBuilder().setLevel(6).build());
        }
        NativeOptions shared =
                new NativeOptions(TestStores.settings(folder.resolve("x"), false, 8));
        Workspace workspace = Workspace.open(folder.resolve("x"), folder, Randomness.seeded(3));
        assertThatThrownBy(() -> Instance.open(7, files, shared, workspace))
                .isInstanceOf(ManifestException.class)
                .hasMessageContaining("missing");
        workspace.close();
        shared.close();
    }

    /** RocksDB would take any file of this name and size for it. */
    @Test
    void filesWithoutAUniqueIdAreRefused() {
        TabletRecord.Builder nameless = record.record().toBuilder();
        nameless.getColumnFamiliesBuilder(0).getFilesBuilder(0).clearCustom();
        assertRefused(nameless.build(), WHOLE, "unique id");
    }

    @Test
    void filesInTwoColumnFamiliesAreRefused() {
        TabletRecord.Builder twice = record.record().toBuilder();
        SstFile file = record.record().getColumnFamilies(0).getFiles(0);
        twice.getColumnFamiliesBuilder(1).addFiles(file.toBuilder().setLevel(0));
        assertRefused(twice.build(), WHOLE, "two column families");
    }

    /** With create_if_missing it would be a new, empty tablet. */
    @Test
    void missingCurrentIsAnError() throws Exception {
        NativeOptions shared = new NativeOptions(stores.settings);
        Path empty = Files.createDirectories(folder.resolve("no-current"));
        try (DBOptions options = shared.database(empty)) {
            assertThatThrownBy(
                            () -> RocksDB.open(options, empty.toString(), families(shared), list()))
                    .isInstanceOf(RocksDBException.class);
            options.setCreateIfMissing(true).setCreateMissingColumnFamilies(true);
            List<ColumnFamilyHandle> handles = list();
            RocksDB db = RocksDB.open(options, empty.toString(), families(shared), handles);
            FileSet files = RecordFiles.of(record.record());
            List<LiveFileMetaData> live = db.getLiveFilesMetaData();
            assertThatThrownBy(() -> LiveSet.check(files, live)).hasMessageContaining("missing");
            handles.forEach(ColumnFamilyHandle::close);
            db.close();
        }
        shared.close();
    }

    private static List<ColumnFamilyHandle> list() {
        return new ArrayList<>();
    }

    private static List<ColumnFamilyDescriptor> families(NativeOptions shared) {
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        for (String name : RecordFiles.FAMILIES) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            families.add(new ColumnFamilyDescriptor(bytes, shared.columnFamily()));
        }
        return families;
    }

    /**
     * A waiting flush on a disk without room would wait for ever, also when there is room again.
     */
    @Test
    void failedFlushIsRepeatedAndLosesNothing() throws Exception {
        RocksTablet tablet = open();
        tablet.apply(List.of(model.next()));
        Path tables = tablet.instance().folder().tables();
        Path aside = tables.resolveSibling("aside");
        Files.move(tables, aside);
        assertThatThrownBy(() -> stores.publish(tablet, 3))
                .isInstanceOf(KvException.class)
                .hasMessageContaining("flush did not end");
        tablet.apply(List.of(model.next()));
        Files.move(aside, tables);
        PreparedRecord after = stores.publish(tablet, 3);
        assertThat(after.record().getAppliedIndex()).isEqualTo(model.lastIndex());
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void recordsAreCheckedWhenLoaded() {
        assertThatThrownBy(() -> stores.tablets.load(8, record.ref()))
                .isInstanceOf(KvException.class)
                .hasMessageContaining("region 7");
        objects.damage(record.ref().getKey());
        assertThatThrownBy(() -> stores.tablets.load(7, record.ref()))
                .isInstanceOf(KvException.class)
                .hasMessageContaining(record.ref().getKey());
        ObjectRef nowhere = ObjectRef.newBuilder().setKey("record/7/1-1-x").build();
        assertThatThrownBy(() -> stores.tablets.load(7, nowhere))
                .isInstanceOf(KvException.class)
                .hasMessageContaining("NOT_FOUND");
    }

    /** RocksDB would apply the sound part of such a batch. */
    @Test
    void unsoundBatchesAreNotApplied() {
        RocksTablet tablet = open();
        ByteString sound =
                new WriteBatchBuilder()
                        .put(Cf.LOCK, TabletModel.key(1), new byte[] {1})
                        .deleteRange(Cf.WRITE, new byte[] {1}, new byte[] {2})
                        .delete(Cf.DEFAULT, new byte[] {1})
                        .build();
        for (int length = 0; length < sound.size(); length++) {
            ByteString cut = sound.substring(0, length);
            assertThatThrownBy(() -> tablet.apply(List.of(entry(cut))))
                    .isInstanceOf(InvariantViolation.class);
        }
        byte[] metaFamily = sound.toByteArray();
        metaFamily[13] = RecordFiles.META;
        assertThatThrownBy(() -> tablet.apply(List.of(entry(ByteString.copyFrom(metaFamily)))))
                .isInstanceOf(InvariantViolation.class);
        assertThat(tablet.applied().index()).isEqualTo(600);
        model.verify(tablet, WHOLE);
        assertThatThrownBy(() -> tablet.apply(List.of(entry(sound), entry(sound))))
                .isInstanceOf(InvariantViolation.class)
                .hasMessageContaining("after entry");
        tablet.close();
    }

    private Entry entry(ByteString data) {
        return Entry.newBuilder()
                .setIndex(model.lastIndex() + 1)
                .setTerm(3)
                .setKind(EntryKind.WRITE)
                .setData(data)
                .build();
    }

    @Test
    void readersOutliveClosing() throws IOException {
        RocksTablet tablet = open();
        KvSnapshot snapshot = tablet.snapshot(WHOLE);
        KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null);
        rows.seekToFirst();
        tablet.close();
        assertThatThrownBy(() -> tablet.snapshot(WHOLE)).isInstanceOf(KvException.class);
        assertThatThrownBy(() -> tablet.apply(List.of(model.next())))
                .isInstanceOf(KvException.class);
        int seen = 0;
        for (; rows.isValid(); rows.next()) {
            seen++;
        }
        assertThat(seen).isGreaterThan(100);
        snapshot.close();
        assertThat(Files.exists(tablet.instance().folder().tables())).isTrue();
        assertThatThrownBy(() -> snapshot.get(Cf.LOCK, new byte[1]))
                .isInstanceOf(IllegalStateException.class);
        rows.close();
        rows.close();
        assertThat(Files.exists(tablet.instance().folder().tables())).isFalse();
        assertThat(Files.exists(tablet.instance().folder().meta())).isFalse();
        assertThatThrownBy(rows::seekToFirst).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void boundsHoldOnEveryAccess() {
        RegionShape part = TabletModel.shape(7, "k00000500", "k00001500");
        RocksTablet tablet = open();
        model.verify(tablet, part);
        try (KvSnapshot snapshot = tablet.snapshot(part)) {
            assertThat(snapshot.get(Cf.WRITE, TabletModel.key(499))).isNull();
            assertThat(snapshot.get(Cf.WRITE, TabletModel.key(1500))).isNull();
            byte[] first = model.families.get(Cf.WRITE).ceilingKey(TabletModel.key(500));
            byte[] last = model.families.get(Cf.WRITE).lowerKey(TabletModel.key(1500));
            try (KvIterator rows =
                    snapshot.iterator(Cf.WRITE, TabletModel.key(0), TabletModel.key(9999))) {
                rows.seek(TabletModel.key(1));
                assertThat(rows.key()).isEqualTo(first);
                rows.prev();
                assertThat(rows.isValid()).isFalse();
                rows.seekForPrev(TabletModel.key(9000));
                assertThat(rows.key()).isEqualTo(last);
                rows.next();
                assertThat(rows.isValid()).isFalse();
                rows.seekForPrev(TabletModel.key(10));
                assertThat(rows.isValid()).isFalse();
                rows.seek(TabletModel.key(1500));
                assertThat(rows.isValid()).isFalse();
                assertThatThrownBy(rows::next).isInstanceOf(IllegalStateException.class);
            }
            try (KvIterator none =
                    snapshot.iterator(Cf.WRITE, TabletModel.key(900), TabletModel.key(800))) {
                none.seekToFirst();
                assertThat(none.isValid()).isFalse();
                none.seekToLast();
                assertThat(none.isValid()).isFalse();
            }
        }
        tablet.close();
    }

    @Test
    void snapshotsStandStill() {
        RocksTablet tablet = open();
        TabletModel before = model.asOf(model.lastIndex());
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            for (int i = 0; i < 200; i++) {
                tablet.apply(List.of(model.next()));
            }
            stores.publish(tablet, 3);
            for (Cf cf : Cf.values()) {
                for (int i = 0; i < 200; i++) {
                    byte[] key = TabletModel.key(i);
                    assertThat(snapshot.get(cf, key)).isEqualTo(before.families.get(cf).get(key));
                }
            }
        }
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void foldersInUseAreNotEmptied() throws IOException {
        Path used = stores.folder.resolve("tablets");
        RocksTablet tablet = open();
        assertThatThrownBy(() -> Workspace.open(used, folder, Randomness.seeded(1)))
                .hasMessageContaining("in use");
        assertThat(tablet.instance().folder().tables()).exists();
        tablet.close();
    }

    @Test
    void foldersOfTheDeadAreSwept() throws IOException {
        Path scratch = Files.createDirectories(folder.resolve("scratch"));
        Path dead = Files.createDirectories(scratch.resolve("tidekv-tablets-dead").resolve("1-1"));
        Files.writeString(dead.getParent().resolve("lock"), "");
        Files.writeString(dead.resolve("MANIFEST-000001"), "x");
        Workspace one = Workspace.open(folder.resolve("t1"), scratch, Randomness.seeded(1));
        Workspace two = Workspace.open(folder.resolve("t2"), scratch, Randomness.seeded(2));
        assertThat(dead).doesNotExist();
        try (Stream<Path> left = Files.list(scratch)) {
            assertThat(left).hasSize(2);
        }
        one.close();
        two.close();
        try (Stream<Path> left = Files.list(scratch)) {
            assertThat(left).isEmpty();
        }
    }
}
