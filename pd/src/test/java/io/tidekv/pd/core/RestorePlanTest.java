package io.tidekv.pd.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.pdstate.AddStore;
import io.tidekv.proto.pdstate.AddWal;
import io.tidekv.proto.pdstate.AllocateIds;
import io.tidekv.proto.pdstate.Bootstrap;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.InitCluster;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.RestorePlan;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.junit.jupiter.api.Test;

class RestorePlanTest {
    private static final ObjectRef RECORD = ObjectRef.newBuilder().setKey("record/4/9-0-u").build();

    private static RestoredRegion region(long id, String start, String end) {
        return RestoredRegion.newBuilder()
                .setShape(
                        RegionShape.newBuilder()
                                .setRegionId(id)
                                .setVersion(8)
                                .setStartKey(ByteString.copyFromUtf8(start))
                                .setEndKey(ByteString.copyFromUtf8(end)))
                .setTerm(9)
                .build();
    }

    private static PdState restored() {
        RestorePlan plan =
                RestorePlan.newBuilder()
                        .setClusterId(77)
                        .setApiMode(2)
                        .setNextId(1000)
                        .setNextIncarnation(500)
                        .setTsoBoundMillis(123_456)
                        .addRegions(region(4, "", "m").toBuilder().setFirstRecord(RECORD))
                        .addRegions(region(5, "m", ""))
                        .build();
        PdState state = PdState.empty();
        state.apply(
                Command.newBuilder()
                        .setInitCluster(
                                InitCluster.newBuilder()
                                        .setClusterId(77)
                                        .setSettings(
                                                ClusterSettings.newBuilder()
                                                        .setVoters(1)
                                                        .setApiMode(2))
                                        .setRestore(plan))
                        .build());
        // What was planned survives a snapshot.
        return PdState.restore(state.snapshot());
    }

    @Test
    void theFirstRegionsAreThoseOfThePlan() {
        PdState state = restored();
        assertThat(state.clusterId()).isEqualTo(77);
        assertThat(state.tsoBoundMillis()).isEqualTo(123_456);
        assertThat(state.regions().isEmpty()).isTrue();
        StoreEntry store =
                state.apply(
                                Command.newBuilder()
                                        .setAddStore(
                                                AddStore.newBuilder()
                                                        .setRequest(
                                                                RegisterStoreRequest.newBuilder()
                                                                        .setAddress("127.0.0.1:1")
                                                                        .setApiMode(2)))
                                        .build())
                        .getStore();
        assertThat(store.getStoreId()).isGreaterThanOrEqualTo(1000);
        assertThat(store.getIncarnation()).isGreaterThanOrEqualTo(500);
        long wal =
                state.apply(
                                Command.newBuilder()
                                        .setAddWal(
                                                AddWal.newBuilder()
                                                        .setRequest(
                                                                RegisterWalRequest.newBuilder()
                                                                        .setUuid("u")
                                                                        .setAddress("127.0.0.1:2")))
                                        .build())
                        .getWal()
                        .getWalId();
        Command begin =
                Command.newBuilder()
                        .setBootstrap(
                                Bootstrap.newBuilder()
                                        .setOwner(
                                                Owner.newBuilder()
                                                        .setStoreId(store.getStoreId())
                                                        .setIncarnation(store.getIncarnation()))
                                        .addWalIds(wal))
                        .build();
        List<RegionEntry> first = state.apply(begin).getRegions().getRegionsList();
        assertThat(first).hasSize(2);
        assertThat(first.get(0).getTerm()).isEqualTo(9);
        assertThat(first.get(0).getOrigin().getRestore().getFirstRecord()).isEqualTo(RECORD);
        assertThat(first.get(1).getOrigin().hasBootstrap()).isTrue();
        assertThat(first.get(1).getShape().getVersion()).isEqualTo(8);
        assertThat(state.apply(begin).getRegions().getRegionsList()).isEmpty();
        state.checkInvariants();
        assertThat(state.snapshot().getRestoringList()).isEmpty();
        Command ids =
                Command.newBuilder().setAllocateIds(AllocateIds.newBuilder().setCount(1)).build();
        assertThat(state.apply(ids).getIds().getFirst()).isGreaterThan(1000);
    }
}
