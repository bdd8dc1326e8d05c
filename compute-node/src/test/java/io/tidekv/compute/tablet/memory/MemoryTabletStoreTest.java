package io.tidekv.compute.tablet.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryTabletStoreTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final RegionShape LEFT = TabletModel.shape(8, "", "k00000700");
    private static final RegionShape RIGHT = TabletModel.shape(7, "k00000700", "");

    private final MemoryTabletStore store =
            new MemoryTabletStore(1, 1, new MemoryObjectStore(), Randomness.seeded(1));
    private final TabletModel model = new TabletModel(3, 2000);

    private PreparedRecord publish(Tablet tablet) {
        PreparedRecord base = tablet.base();
        PreparedRecord prepared =
                store.publisher()
                        .prepare(tablet, new PublishRequest(5, base == null ? null : base.ref()));
        tablet.published(prepared);
        return prepared;
    }

    @Test
    void recordAndReplayGiveTheState() {
        Tablet tablet = store.open(null, WHOLE);
        for (int i = 0; i < 400; i++) {
            tablet.apply(List.of(model.next()));
        }
        assertThat(tablet.unpublishedBytes()).isPositive();
        PreparedRecord record = publish(tablet);
        assertThat(tablet.unpublishedBytes()).isZero();
        tablet.apply(List.of(model.noop(), model.next()));
        model.verify(tablet, WHOLE);

        Tablet again = store.open(store.load(7, record.ref()), WHOLE);
        assertThat(again.applied().index()).isEqualTo(400);
        again.apply(model.tail(again));
        model.verify(again, WHOLE);
        assertThat(publish(again).record().getParent()).isEqualTo(record.ref());
    }

    @Test
    void childHoldsItsPart() {
        Tablet parent = store.open(null, WHOLE);
        for (int i = 0; i < 400; i++) {
            parent.apply(List.of(model.next()));
        }
        PreparedRecord record = publish(parent);
        TabletRecord first = ChildRecords.clip(record.record(), LEFT, 9);
        PreparedRecord stored = new PreparedRecord(store.publisher().store(first), first);
        parent.applyState(model.mark(), RegionState.fresh(RIGHT));

        Tablet child = store.open(store.load(8, stored.ref()), LEFT);
        assertThat(child.applied().index()).isZero();
        model.verify(child, LEFT);
        model.verify(parent, RIGHT);
        Tablet parentAgain = store.open(publish(parent), RIGHT);
        model.verify(parentAgain, RIGHT);
    }
}
