package io.tidekv.common.error;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError.Route;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.StoreSafeTSResponse;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class RegionErrorsTest {
    private static final RegionShape SHAPE =
            RegionShape.newBuilder()
                    .setRegionId(4)
                    .setStartKey(ByteString.copyFromUtf8("a"))
                    .setEndKey(ByteString.copyFromUtf8("m"))
                    .setVersion(3)
                    .setConfVer(2)
                    .setPeerId(9)
                    .build();
    private static final Route ROUTE = new Route(SHAPE, 1);

    /** One of each kind, with the member of errorpb.Error that clients look for. */
    private static final Map<String, KvError> KINDS =
            new TreeMap<>(
                    Map.ofEntries(
                            Map.entry("not_leader", new KvError.NotLeader(4, ROUTE, "m")),
                            Map.entry("region_not_found", new KvError.RegionNotFound(4, "m")),
                            Map.entry(
                                    "epoch_not_match",
                                    new KvError.EpochNotMatch(List.of(ROUTE), "m")),
                            Map.entry(
                                    "key_not_in_region",
                                    new KvError.KeyNotInRegion(
                                            ByteString.copyFromUtf8("z"), SHAPE, "m")),
                            Map.entry("store_not_match", new KvError.StoreNotMatch(7, 1, "m")),
                            Map.entry("mismatch_peer_id", new KvError.PeerNotMatch(8, 9, "m")),
                            Map.entry("stale_command", new KvError.StaleCommand("m")),
                            Map.entry("server_is_busy", new KvError.ServerIsBusy("m", 50)),
                            Map.entry(
                                    "raft_entry_too_large", new KvError.EntryTooLarge(4, 99, "m")),
                            Map.entry(
                                    "max_timestamp_not_synced",
                                    new KvError.MaxTimestampNotSynced("m")),
                            Map.entry("undetermined_result", new KvError.Undetermined("m")),
                            Map.entry("disk_full", new KvError.DiskFull(1, "m")),
                            Map.entry(
                                    "FlashbackInProgress",
                                    new KvError.FlashbackInProgress(4, 5, "m")),
                            Map.entry(
                                    "FlashbackNotPrepared",
                                    new KvError.FlashbackNotPrepared(4, "m")),
                            Map.entry("deadline", new KvError.DeadlineExceeded("m")),
                            Map.entry("unavailable", new KvError.RegionUnavailable(4, "o", "m")),
                            Map.entry("", new KvError.InvalidRequest("m"))));

    @Test
    void everyKindIsMapped() {
        Set<String> tested = new TreeSet<>();
        KINDS.values().forEach(error -> tested.add(error.getClass().getSimpleName()));
        Set<String> all = new TreeSet<>();
        for (Class<?> kind : KvError.class.getPermittedSubclasses()) {
            all.add(kind.getSimpleName());
        }
        assertThat(tested).isEqualTo(all);
    }

    @Test
    void eachKindHasTheMemberThatClientsLookFor() {
        KINDS.forEach(
                (member, error) -> {
                    Error mapped = RegionErrors.of(error);
                    assertThat(mapped.getMessage().isEmpty())
                            .as(member + " has no text")
                            .isEqualTo(member.equals("FlashbackNotPrepared"));
                    Set<String> set = new TreeSet<>();
                    mapped.getAllFields().keySet().forEach(field -> set.add(field.getName()));
                    set.remove("message");
                    String expected =
                            Set.of("deadline", "unavailable").contains(member)
                                    ? "server_is_busy"
                                    : member;
                    assertThat(set)
                            .as(member)
                            .isEqualTo(expected.isEmpty() ? Set.of() : Set.of(expected));
                });
    }

    @Test
    void routesCarryPeersAndBoundsAsStored() {
        Error error = RegionErrors.of(KINDS.get("epoch_not_match"));
        var region = error.getEpochNotMatch().getCurrentRegions(0);
        assertThat(region.getId()).isEqualTo(4);
        assertThat(region.getStartKey().toStringUtf8()).isEqualTo("a");
        assertThat(region.getEndKey().toStringUtf8()).isEqualTo("m");
        assertThat(region.getRegionEpoch().getVersion()).isEqualTo(3);
        assertThat(region.getRegionEpoch().getConfVer()).isEqualTo(2);
        assertThat(region.getPeers(0).getId()).isEqualTo(9);
        assertThat(region.getPeers(0).getStoreId()).isEqualTo(1);
    }

    @Test
    void clientsFindTheTextsTheyMatch() {
        Error error = RegionErrors.of(new KvError.DeadlineExceeded("late"));
        assertThat(error.getMessage()).isEqualTo("Deadline is exceeded");
        assertThat(error.getServerIsBusy().getReason()).contains("deadline is exceeded");
    }

    @Test
    void aResponseCarriesTheErrorWhereItCan() {
        KvError error = new KvError.RegionNotFound(4, "gone");
        GetResponse response = RegionErrors.response(GetResponse.getDefaultInstance(), error);
        assertThat(response.getRegionError().getRegionNotFound().getRegionId()).isEqualTo(4);
        assertThat(RegionErrors.fits(response)).isTrue();
        assertThat(RegionErrors.fits(StoreSafeTSResponse.getDefaultInstance())).isFalse();
    }
}
