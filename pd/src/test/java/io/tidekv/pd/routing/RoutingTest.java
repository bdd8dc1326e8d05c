package io.tidekv.pd.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.MemoryStateLog;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.pdpb.KeyRange;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.Snapshot;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.VoterConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Four regions: up to c, f and m, and the rest; their ids are 10, 11, 12, 13. */
class RoutingTest {
    private final Routing routing = new Routing(new MemoryStateLog(state()), new LiveView());

    @Test
    void byKey() {
        assertThat(id(routing.byKey(key("")))).isEqualTo(10);
        assertThat(id(routing.byKey(key("b")))).isEqualTo(10);
        assertThat(id(routing.byKey(key("c")))).isEqualTo(11);
        assertThat(id(routing.byKey(key("zz")))).isEqualTo(13);
        assertThat(routing.before(key("b"))).isNull();
        assertThat(id(routing.before(key("c")))).isEqualTo(10);
        assertThat(id(routing.before(key("z")))).isEqualTo(12);
        assertThat(routing.startingAt(key("b"))).isNull();
    }

    @Test
    void scans() {
        assertThat(scan("", "", 0)).containsExactly(10L, 11L, 12L, 13L);
        assertThat(scan("d", "", 2)).containsExactly(11L, 12L);
        assertThat(scan("d", "f", 0)).as("the end is exclusive").containsExactly(11L);
        assertThat(scan("d", "g", -1)).containsExactly(11L, 12L);
        assertThat(scan("d", "d", 0)).isEmpty();
        assertThat(scan("f", "c", 0)).isEmpty();
    }

    @Test
    void scansSeveralRanges() {
        assertThat(scan(0, "a", "b", "b", "d", "n", "")).containsExactly(10L, 11L, 13L);
        assertThat(scan(2, "a", "d", "n", "")).as("over all").containsExactly(10L, 11L);
        assertThat(scan(0)).isEmpty();
        assertThatThrownBy(() -> scan(0, "d", "a")).hasMessageContaining("start key > end key");
        assertThatThrownBy(() -> scan(0, "d", "f", "a", "b")).hasMessageContaining("overlapped");
        assertThatThrownBy(() -> scan(0, "d", "", "x", "y")).hasMessageContaining("overlapped");
        assertThatThrownBy(() -> scan(0, "a", "c", "b", "d")).hasMessageContaining("overlapped");
    }

    @Test
    void clientsAreSentToTheOwnerBeforeItLeads() {
        Located region = routing.byId(11);
        assertThat(region).isNotNull();
        assertThat(region.leading()).isFalse();
        assertThat(region.leader()).isEqualTo(region.region().getPeers(0));
        assertThat(region.leader().getStoreId()).isEqualTo(1);
    }

    @Test
    void aRegionShutByAFlashbackSaysSo() {
        Located region = routing.byId(11);
        assertThat(region).isNotNull();
        assertThat(region.region().getIsInFlashback()).isFalse();
        RegionReport shut = RegionReport.newBuilder().setFlashbackStartTs(7).build();
        Region seen = new Located(region.entry(), shut, true).region();
        assertThat(seen.getIsInFlashback()).isTrue();
        assertThat(seen.getFlashbackStartTs()).isEqualTo(7);
    }

    private List<Long> scan(String start, String end, int limit) {
        return routing.scan(key(start), key(end), limit).stream().map(Located::id).toList();
    }

    private List<Long> scan(int limit, String... bounds) {
        List<KeyRange> ranges = new java.util.ArrayList<>();
        for (int i = 0; i < bounds.length; i += 2) {
            ranges.add(
                    KeyRange.newBuilder()
                            .setStartKey(key(bounds[i]))
                            .setEndKey(key(bounds[i + 1]))
                            .build());
        }
        return routing.scan(ranges, limit).stream().map(Located::id).toList();
    }

    private static PdState state() {
        Snapshot.Builder snapshot =
                Snapshot.newBuilder()
                        .setNextId(100)
                        .setNextIncarnation(9)
                        .addStores(StoreEntry.newBuilder().setStoreId(1).setIncarnation(1));
        String[] bounds = {"", "c", "f", "m", ""};
        for (int i = 0; i < 4; i++) {
            snapshot.addRegions(
                    RegionEntry.newBuilder()
                            .setTerm(1)
                            .setOwner(Owner.newBuilder().setStoreId(1).setIncarnation(1))
                            .setConfig(VoterConfig.newBuilder().setGeneration(1).addWalIds(5))
                            .setShape(
                                    RegionShape.newBuilder()
                                            .setRegionId(10 + i)
                                            .setPeerId(20 + i)
                                            .setStartKey(key(bounds[i]))
                                            .setEndKey(key(bounds[i + 1]))));
        }
        return PdState.restore(snapshot.build());
    }

    private static long id(@Nullable Located region) {
        return region == null ? 0 : region.id();
    }

    private static ByteString key(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
