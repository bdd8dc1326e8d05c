package io.tidekv.pd.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.Result;
import io.tidekv.proto.pdstate.Snapshot;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random commands, right and wrong: what must hold holds after each of them. */
class PdStatePropertyTest {
    private static final int STEPS = 600;

    static List<Long> seeds() {
        Long fixed = Long.getLong("tidekv.seed");
        if (fixed != null) {
            return List.of(fixed);
        }
        List<Long> seeds = new ArrayList<>();
        for (long seed = 1; seed <= 40; seed++) {
            seeds.add(seed);
        }
        return seeds;
    }

    @ParameterizedTest(name = "-Dtidekv.seed={0}")
    @MethodSource("seeds")
    void invariantsHoldAndReplicasAgree(long seed) {
        Randomness random = Randomness.seeded(seed);
        PdState state = PdState.empty();
        PdState replica = PdState.empty();
        RandomCommands commands = new RandomCommands(random, state);
        List<Command> log = new ArrayList<>();
        Map<Long, Map<Long, Owner>> owners = new HashMap<>();
        for (int i = 0; i < STEPS; i++) {
            Snapshot before = state.snapshot();
            Command command = commands.next();
            log.add(command);
            Result result = state.apply(command);
            state.checkInvariants();
            checkGrowth(before, state.snapshot());
            checkOwners(state, owners);
            if (result.hasFailure()) {
                assertThat(result.getFailure().getMessage()).isNotBlank();
            }
            if (random.chance(0.05)) {
                replica = PdState.restore(parse(state.snapshot().toByteString()));
                assertThat(replica.snapshot()).isEqualTo(state.snapshot());
            }
        }
        assertThat(state.snapshot().getRegionsCount()).as("a run that does something").isPositive();
        checkRouting(state);
    }

    @ParameterizedTest(name = "-Dtidekv.seed={0}")
    @MethodSource("seeds")
    void aRestoredReplicaFollowsTheSameWay(long seed) {
        Randomness random = Randomness.seeded(seed);
        PdState source = PdState.empty();
        RandomCommands commands = new RandomCommands(random, source);
        for (int i = 0; i < STEPS; i++) {
            source.apply(commands.next());
        }
        PdState a = PdState.restore(source.snapshot());
        PdState b = PdState.restore(source.snapshot());
        RandomCommands more = new RandomCommands(random, PdState.restore(source.snapshot()));
        for (int i = 0; i < STEPS; i++) {
            Command command = more.next();
            assertThat(a.apply(command)).isEqualTo(b.apply(command));
        }
        assertThat(a.snapshot()).isEqualTo(b.snapshot());
    }

    private static void checkGrowth(Snapshot before, Snapshot after) {
        assertThat(after.getNextId()).isGreaterThanOrEqualTo(before.getNextId());
        assertThat(after.getNextIncarnation()).isGreaterThanOrEqualTo(before.getNextIncarnation());
        assertThat(after.getTsoBoundMillis()).isGreaterThanOrEqualTo(before.getTsoBoundMillis());
        assertThat(after.getSafePoints().getTxn())
                .isGreaterThanOrEqualTo(before.getSafePoints().getTxn());
        assertThat(after.getSafePoints().getGc())
                .isGreaterThanOrEqualTo(before.getSafePoints().getGc());
        Map<Long, RegionEntry> old = new HashMap<>();
        before.getRegionsList().forEach(r -> old.put(r.getShape().getRegionId(), r));
        for (RegionEntry entry : after.getRegionsList()) {
            RegionEntry was = old.get(entry.getShape().getRegionId());
            if (was != null) {
                assertThat(entry.getTerm()).isGreaterThanOrEqualTo(was.getTerm());
                assertThat(entry.getShape().getVersion())
                        .isGreaterThanOrEqualTo(was.getShape().getVersion());
                assertThat(entry.getShape().getConfVer())
                        .isGreaterThanOrEqualTo(was.getShape().getConfVer());
                boolean moved = entry.getOwner().getStoreId() != was.getOwner().getStoreId();
                assertThat(entry.getShape().getPeerId() != was.getShape().getPeerId())
                        .as("a new store is a new peer, and only that")
                        .isEqualTo(moved);
            }
        }
    }

    /** Each (region, term) has one owner for ever. */
    private static void checkOwners(PdState state, Map<Long, Map<Long, Owner>> owners) {
        for (RegionEntry entry : state.regions().all()) {
            Owner known =
                    owners.computeIfAbsent(entry.getShape().getRegionId(), id -> new HashMap<>())
                            .putIfAbsent(entry.getTerm(), entry.getOwner());
            assertThat(known == null ? entry.getOwner() : known).isEqualTo(entry.getOwner());
        }
    }

    /** Lookups agree with a search through all regions. */
    private static void checkRouting(PdState state) {
        RegionTable regions = state.regions();
        List<RegionEntry> scanned = regions.scan(ByteString.EMPTY, ByteString.EMPTY, 0);
        assertThat(scanned).hasSize(regions.size());
        for (int i = 0; i < scanned.size(); i++) {
            ByteString start = scanned.get(i).getShape().getStartKey();
            ByteString inside = start.concat(ByteString.copyFromUtf8("\0\0"));
            assertThat(regions.containing(start)).isEqualTo(scanned.get(i));
            assertThat(regions.startingAt(start)).isEqualTo(scanned.get(i));
            assertThat(regions.previous(start)).isEqualTo(i == 0 ? null : scanned.get(i - 1));
            assertThat(regions.scan(start, ByteString.EMPTY, 2))
                    .isEqualTo(scanned.subList(i, Math.min(i + 2, scanned.size())));
            if (i > 0) {
                assertThat(regions.scan(ByteString.EMPTY, start, 0))
                        .isEqualTo(scanned.subList(0, i));
            }
            if (regions.startingAt(inside.substring(0, inside.size() - 1)) == null) {
                assertThat(regions.containing(inside)).isEqualTo(scanned.get(i));
            }
        }
    }

    private static Snapshot parse(ByteString bytes) {
        try {
            return Snapshot.parseFrom(bytes);
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }
}
