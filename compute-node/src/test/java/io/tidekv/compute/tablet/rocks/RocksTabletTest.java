package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.region.RegionShape;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RocksTabletTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");

    @TempDir Path folder;

    @Test
    void publishedStateIsFoundByAnotherProcessAndReplayCompletesIt() throws Exception {
        SwitchableStore objects = new SwitchableStore();
        TabletModel model = new TabletModel(1, 3000);
        PreparedRecord record;
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), true)) {
            Tablet tablet = stores.tablets.open(null, WHOLE);
            for (int i = 0; i < 1500; i++) {
                tablet.apply(List.of(model.next()));
            }
            model.verify(tablet, WHOLE);
            record = stores.publish(tablet, 3);
            assertThat(record.record().getAppliedIndex()).isEqualTo(1500);
            for (int i = 0; i < 500; i++) {
                tablet.apply(List.of(model.next()));
            }
            model.verify(tablet, WHOLE);
            tablet.close();
        }
        TestStores.wipe(folder.resolve("a"));
        try (TestStores stores = new TestStores(objects, folder.resolve("b"), false)) {
            Tablet tablet = stores.tablets.open(stores.tablets.load(7, record.ref()), WHOLE);
            assertThat(tablet.hydrated()).isFalse();
            assertThat(tablet.applied().index()).isEqualTo(1500);
            tablet.apply(model.tail(tablet));
            model.verify(tablet, WHOLE);
            tablet.close();
        }
    }

    @Test
    void randomLifeEqualsTheModel() throws Exception {
        long seed = new Random(System.identityHashCode(this)).nextLong();
        System.out.println("seed " + seed);
        live(seed);
    }

    private void live(long seed) throws Exception {
        Random random = new Random(seed);
        SwitchableStore objects = new SwitchableStore();
        TabletModel model = new TabletModel(seed, 2000);
        TestStores stores = new TestStores(objects, folder.resolve("0"), random.nextBoolean(), 4);
        Tablet tablet = stores.tablets.open(null, WHOLE);
        for (int step = 0; step < 300; step++) {
            int what = random.nextInt(100);
            if (what < 60) {
                for (int i = random.nextInt(30); i >= 0; i--) {
                    model.next();
                }
                if (random.nextInt(4) == 0) {
                    model.noop();
                }
                tablet.apply(model.tail(tablet));
            } else if (what < 80) {
                stores.publish(tablet, TabletModel.TERM);
            } else if (what < 90) {
                LocalFiles files = ((RocksTablet) tablet).files();
                PreparedRecord base = tablet.base();
                if (base != null) {
                    files.evict(RecordFiles.byNumber(base.record()).keySet());
                }
            } else if (what < 97) {
                model.verify(tablet, WHOLE);
            } else {
                PreparedRecord base = tablet.base();
                tablet.close();
                stores.close();
                if (random.nextBoolean()) {
                    TestStores.wipe(stores.folder);
                }
                stores =
                        new TestStores(objects, folder.resolve("" + step), random.nextBoolean(), 4);
                tablet =
                        stores.tablets.open(
                                base == null ? null : stores.tablets.load(7, base.ref()), WHOLE);
                tablet.apply(model.tail(tablet));
            }
        }
        model.verify(tablet, WHOLE);
        tablet.close();
        stores.close();
    }
}
