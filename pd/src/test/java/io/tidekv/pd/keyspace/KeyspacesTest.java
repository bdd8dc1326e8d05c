package io.tidekv.pd.keyspace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.common.time.ManualClock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.MemoryStateLog;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.InitCluster;
import io.tidekv.proto.pdstate.Snapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class KeyspacesTest {
    private final MemoryStateLog log = new MemoryStateLog();
    private final List<ByteString> borders = new ArrayList<>();

    private Keyspaces of(int apiMode) {
        log.submit(
                Command.newBuilder()
                        .setInitCluster(
                                InitCluster.newBuilder()
                                        .setClusterId(7)
                                        .setSettings(
                                                ClusterSettings.newBuilder()
                                                        .setApiMode(apiMode)
                                                        .setVoters(3)))
                        .build());
        return new Keyspaces(log, new ManualClock(), borders::addAll);
    }

    @Test
    void idsAndNamesAreGivenOnce() {
        Keyspaces keyspaces = of(1);
        assertThat(keyspaces.byName("DEFAULT")).isEqualTo(keyspaces.byId(0));
        KeyspaceMeta a = keyspaces.create("a", Map.of("k", "v")).join();
        KeyspaceMeta b = keyspaces.create("b-_9", Map.of()).join();
        assertThat(a.getId()).isEqualTo(1);
        assertThat(b.getId()).isEqualTo(2);
        assertThat(a.getConfigMap()).containsEntry("k", "v");
        assertThat(keyspaces.byName("a")).isEqualTo(a);
        assertThat(keyspaces.byId(2)).isEqualTo(b);
        assertThat(keyspaces.from(0, 0)).extracting(KeyspaceMeta::getId).containsExactly(0, 1, 2);
        assertThat(keyspaces.from(1, 1)).containsExactly(a);
        assertThat(keyspaces.from(0, 2)).extracting(KeyspaceMeta::getId).containsExactly(0, 1);
        for (String taken : new String[] {"a", "DEFAULT"}) {
            assertThatThrownBy(() -> keyspaces.create(taken, Map.of()).join())
                    .hasMessageContaining("ErrKeyspaceExists");
        }
        for (String bad : new String[] {"", "bad name !", "x".repeat(21), "ä", "a/b"}) {
            assertThatThrownBy(() -> keyspaces.create(bad, Map.of()).join())
                    .hasMessageContaining("illegal keyspace name");
        }
        assertThatThrownBy(() -> keyspaces.byName("")).hasMessageContaining("does not exist");
        assertThatThrownBy(() -> keyspaces.byId(3)).hasMessageContaining("does not exist");
        assertThat(borders).as("keys of API V1 have no keyspace").isEmpty();
        List<Boolean> exist =
                log.read(s -> List.of(Keyspaces.exists(s, 2), Keyspaces.exists(s, 3)));
        assertThat(exist).containsExactly(true, false);
        Snapshot saved = log.read(PdState::snapshot);
        assertThat(saved.getKeysList())
                .extracting(kv -> kv.getKey().toStringUtf8())
                .contains("/pd/7/keyspaces/meta/00000001", "/pd/7/keyspaces/id/a");
    }

    @Test
    void statesFollowTheirOrder() {
        Keyspaces keyspaces = of(1);
        int id = keyspaces.create("a", Map.of()).join().getId();
        String allowed = "E>D D>E E>E E>D D>A A>T T>T";
        for (String step : "E>A E>T E>D D>T D>D D>E E>D D>A A>E A>D A>T T>E T>D T>A".split(" ")) {
            KeyspaceState before = keyspaces.byId(id).getState();
            assertThat(before.name()).startsWith(step.substring(0, 1));
            KeyspaceState to = state(step.charAt(2));
            if (allowed.contains(step) || step.equals("D>D")) {
                assertThat(keyspaces.changeState(id, to).join().getState()).isEqualTo(to);
            } else {
                assertThatThrownBy(() -> keyspaces.changeState(id, to).join())
                        .hasMessageContaining("cannot change keyspace state from " + before);
            }
        }
        assertThatThrownBy(() -> keyspaces.changeState(0, KeyspaceState.DISABLED).join())
                .hasMessageContaining("ErrModifyDefaultKeyspace");
        assertThatThrownBy(() -> keyspaces.configure("a", Map.of("k", "v")).join())
                .hasMessageContaining("TOMBSTONE");
    }

    private static KeyspaceState state(char first) {
        for (KeyspaceState state : KeyspaceState.values()) {
            if (state.name().charAt(0) == first) {
                return state;
            }
        }
        throw new IllegalArgumentException("no state " + first);
    }

    @Test
    void configurationIsSetAndRemoved() {
        Keyspaces keyspaces = of(1);
        keyspaces.create("a", Map.of("gone", "1", "kept", "2")).join();
        Map<String, String> changes = new HashMap<>();
        changes.put("gone", null);
        changes.put("new", "3");
        assertThat(keyspaces.configure("a", changes).join().getConfigMap())
                .containsEntry("kept", "2")
                .containsEntry("new", "3")
                .doesNotContainKey("gone");
    }

    @Test
    void whoIsOvertakenPlansAnew() {
        Keyspaces keyspaces = of(1);
        List<KeyspaceMeta> seen = new ArrayList<>();
        keyspaces.watch(seen::add);
        log.hold();
        List<CompletableFuture<KeyspaceMeta>> made = new ArrayList<>();
        for (String name : new String[] {"a", "b", "a", "c"}) {
            made.add(keyspaces.create(name, Map.of()));
        }
        log.release();
        assertThat(made.get(0).join().getId()).isEqualTo(1);
        assertThat(made.get(2)).isCompletedExceptionally();
        assertThat(List.of(made.get(1).join().getId(), made.get(3).join().getId()))
                .containsExactlyInAnyOrder(2, 3);
        assertThat(seen).hasSize(3);
    }

    @Test
    void regionsAreAskedToEndAtTheBordersOfANewKeyspace() {
        Keyspaces keyspaces = of(3);
        keyspaces.create("a", Map.of()).join();
        assertThat(borders)
                .extracting(key -> key.substring(0, 4).toByteArray())
                .containsExactly(
                        new byte[] {'r', 0, 0, 1},
                        new byte[] {'r', 0, 0, 2},
                        new byte[] {'x', 0, 0, 1},
                        new byte[] {'x', 0, 0, 2});
        assertThat(borders).allMatch(key -> key.size() == 9);
        // And no two regions that meet there are to become one; at other keys they may.
        assertThat(borders).allMatch(this::isBorder);
        assertThat(borders).noneMatch(key -> isBorder(key.substring(0, 8)));
        ByteString inside = borders.get(2).concat(borders.get(0));
        ByteString unused = ByteString.copyFrom(Memcomparable.encode(new byte[] {'x', 0, 0, 3}));
        ByteString other = ByteString.copyFrom(Memcomparable.encode(new byte[] {'y', 0, 0, 1}));
        assertThat(List.of(inside, unused, other, ByteString.EMPTY)).noneMatch(this::isBorder);
    }

    private boolean isBorder(ByteString key) {
        return log.read(state -> Keyspaces.isBorder(state, key));
    }
}
