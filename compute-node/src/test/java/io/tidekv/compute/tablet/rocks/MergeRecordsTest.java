package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.MergeRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two tablets become one; {@link MetamorphicTest} does it at random. */
class MergeRecordsTest {
    private static final int KEYS = 2000;
    private static final int MIDDLE = 1000;
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final RegionShape LEFT = TabletModel.shape(8, "", "k00001000");
    private static final RegionShape RIGHT = TabletModel.shape(9, "k00001000", "");
    private static final ByteString BORDER = LEFT.getEndKey();

    @TempDir Path folder;

    /** Drafts of two neighbours whose files all reach over the border, as a split leaves them. */
    private record Halves(TabletModel model, TabletRecord left, TabletRecord right) {}

    private static Halves halves(TestStores stores) {
        TabletModel model = new TabletModel(4, KEYS);
        Tablet whole = stores.tablets.open(null, WHOLE);
        for (int i = 0; i < 400; i++) {
            whole.apply(List.of(model.next()));
        }
        TabletRecord draft = stores.tablets.publisher().draft(whole, new PublishRequest(3, null));
        whole.close();
        return new Halves(
                model,
                ChildRecords.clip(draft, LEFT, 1).toBuilder().setTerm(1).build(),
                ChildRecords.clip(draft, RIGHT, 1).toBuilder().setTerm(1).build());
    }

    private static TabletRecord join(Publisher publisher, TabletRecord left, TabletRecord right) {
        return MergeRecords.join(
                publisher.cut(right, BORDER, false, right),
                publisher.cut(left, BORDER, true, right),
                MergeRecords.merged(right.getShape(), left.getShape()));
    }

    private static Set<String> objects(TabletRecord record) {
        Set<String> objects = new HashSet<>();
        record.getColumnFamiliesList()
                .forEach(f -> f.getFilesList().forEach(s -> objects.add(s.getObject().getKey())));
        return objects;
    }

    @Test
    void onlyFilesThatReachOverTheBorderAreWrittenAgain() {
        try (TestStores stores = new TestStores(new SwitchableStore(), folder, false)) {
            Halves halves = halves(stores);
            Publisher publisher = stores.tablets.publisher();
            Tablet left = stores.tablets.open(prepared(halves.left()), LEFT);
            Tablet right = stores.tablets.open(prepared(halves.right()), RIGHT);
            // Newer than what both inherited, and on one side each.
            left.apply(
                    List.of(halves.model().put(Cf.DEFAULT, 5, 10).toBuilder().setIndex(1).build()));
            right.apply(
                    List.of(
                            halves.model().put(Cf.WRITE, MIDDLE, 10).toBuilder()
                                    .setIndex(1)
                                    .build()));
            TabletRecord leftNow = publisher.draft(left, new PublishRequest(1, null));
            TabletRecord rightNow = publisher.draft(right, new PublishRequest(1, null));
            left.close();
            right.close();
            TabletRecord joined = join(publisher, leftNow, rightNow);
            Tablet merged = stores.tablets.open(prepared(joined), joined.getShape());
            halves.model().verify(merged, joined.getShape());
            assertThat(joined.getShape().getVersion()).isEqualTo(2);
            assertThat(joined.getShape().getStartKey()).isEqualTo(ByteString.EMPTY);
            Set<String> before = objects(leftNow);
            before.retainAll(objects(rightNow));
            assertThat(before).as("shared by the halves").hasSize(3);
            assertThat(objects(joined)).hasSize(8).doesNotContainAnyElementsOf(before);
            // Once cut, nothing has to be written again.
            TabletRecord again = publisher.cut(joined, ByteString.copyFromUtf8("z"), true, joined);
            assertThat(again).isEqualTo(joined);
            writeOn(merged, halves.model(), joined.getShape());
            merged.close();
        }
    }

    private static void writeOn(Tablet merged, TabletModel model, RegionShape shape) {
        AppliedMark at = merged.applied();
        for (int i = 0; i < 50; i++) {
            merged.apply(List.of(model.next().toBuilder().setIndex(at.index() + 1 + i).build()));
        }
        model.verify(merged, shape);
    }

    /** RocksDB itself would open a tablet without the column family: the record is refused. */
    @Test
    void filesThatOverlapInALevelAreRefused() {
        try (TestStores stores = new TestStores(new SwitchableStore(), folder, false)) {
            Halves halves = halves(stores);
            TabletRecord joined =
                    MergeRecords.join(
                            deep(halves.right()),
                            deep(halves.left()),
                            MergeRecords.merged(RIGHT, LEFT));
            assertThatThrownBy(() -> stores.tablets.open(prepared(joined), joined.getShape()))
                    .isInstanceOf(KvException.class)
                    .hasMessageContaining("overlap");
        }
    }

    private static TabletRecord deep(TabletRecord record) {
        TabletRecord.Builder deep = record.toBuilder();
        deep.getColumnFamiliesBuilderList()
                .forEach(f -> f.getFilesBuilderList().forEach(file -> below(file)));
        return deep.build();
    }

    private static void below(SstFile.Builder file) {
        file.setLevel(6);
    }

    private static PreparedRecord prepared(TabletRecord record) {
        return new PreparedRecord(ObjectRef.getDefaultInstance(), record);
    }
}
