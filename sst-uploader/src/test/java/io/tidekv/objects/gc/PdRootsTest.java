package io.tidekv.objects.gc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.Roots;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PdRootsTest {
    private static RegionInfo.Builder region(long id, long term) {
        return RegionInfo.newBuilder()
                .setShape(RegionShape.newBuilder().setRegionId(id))
                .setTerm(term);
    }

    private static ObjectRef ref(String key) {
        return ObjectRef.newBuilder().setKey(key).build();
    }

    private static RegionInfo.Builder leading(long id, long term) {
        return region(id, term)
                .setState(RegionState.LEADING)
                .setRoots(
                        Roots.newBuilder()
                                .setRecord(ref("record/" + id + "/r"))
                                .addPins(ref("record/9/pin"))
                                .addStrays("sst/1/stray.sst"));
    }

    @Test
    void onlyALeaderOfTheNewestTermThatToldIsBelieved() {
        Cut cut =
                PdRoots.cut(
                        50,
                        List.of(
                                leading(1, 5).build(),
                                leading(2, 5).build(),
                                leading(3, 5).clearRoots().build(),
                                leading(4, 5).setState(RegionState.OPENING).build(),
                                leading(6, 1).build()),
                        List.of(
                                leading(1, 5).build(),
                                region(2, 6).build(),
                                leading(3, 5).build(),
                                leading(4, 5).build(),
                                leading(5, 1).build()));
        assertThat(cut.newestId()).isEqualTo(50);
        assertThat(cut.regions().keySet()).containsExactly(1L, 2L, 3L, 4L, 5L);
        assertThat(cut.regions().get(1L))
                .isEqualTo(
                        new RegionRoots(
                                1,
                                5,
                                true,
                                ref("record/1/r"),
                                List.of(ref("record/9/pin")),
                                Set.of("sst/1/stray.sst")));
        assertThat(cut.regions().get(2L)).isEqualTo(RegionRoots.unsettled(2, 6));
        for (long unsettled : new long[] {2, 3, 4, 5}) {
            assertThat(cut.regions().get(unsettled).settled()).isFalse();
        }
    }

    @Test
    void saysThatPdDoesNotAnswer() {
        assertThatThrownBy(() -> new PdRoots("127.0.0.1:1").read())
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("127.0.0.1:1 does not answer");
    }
}
