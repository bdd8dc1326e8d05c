package io.tidekv.pd.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.PdState;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.Snapshot;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What 10 000 regions cost PD. Figures are printed; what they must not grow with is checked. */
class ManyRegionsTest {
    private static final int REGIONS = 10_000;

    @Test
    void areTakenOverByOneCommandAndRestForNothing() {
        Snapshot snapshot = snapshot();
        System.out.printf(
                Locale.ROOT,
                "snapshot: %d bytes a region%n",
                snapshot.getSerializedSize() / REGIONS);
        assertThat(snapshot.getSerializedSize()).isLessThan(200 * REGIONS);

        FakeCluster cluster = new FakeCluster(false, PdState.restore(snapshot));
        FakeStore a = cluster.addStore("a:1");
        FakeStore b = cluster.addStore("b:1");
        a.report();
        b.report();
        cluster.pass(2_000, a);
        a.report();
        assertThat(cluster.ownedBy(a)).isEqualTo(REGIONS);
        b.report();

        long revision = cluster.revision();
        long began = cpu();
        for (int i = 0; i < 100 && cluster.ownedBy(b) < REGIONS; i++) {
            cluster.clock.advanceMillis(100);
            cluster.coordinator.tick();
            b.nothingNew();
        }
        long spent = cpu() - began;
        assertThat(cluster.ownedBy(b)).isEqualTo(REGIONS);
        assertThat(cluster.revision() - revision).as("commands").isEqualTo(1);
        assertThat(b.assigned()).hasSize(REGIONS);
        System.out.printf(Locale.ROOT, "takeover: %d ms of CPU%n", spent / 1_000_000);

        b.report();
        cluster.pass(300);
        b.got.clear();
        revision = cluster.revision();
        idle(cluster, b);
        began = cpu();
        idle(cluster, b);
        System.out.printf(Locale.ROOT, "a minute at rest: %d ms%n", (cpu() - began) / 1_000_000);
        assertThat(cluster.revision()).as("nothing is recorded").isEqualTo(revision);
        assertThat(b.got).as("nothing is ordered").allMatch(StoreCommand::hasAck);
    }

    private static void idle(FakeCluster cluster, FakeStore store) {
        for (int i = 0; i < 600; i++) {
            cluster.clock.advanceMillis(100);
            if (i % 5 == 0) {
                store.nothingNew();
            }
            cluster.coordinator.tick();
        }
    }

    /** A cluster of one store, cut into regions of one prefix each. */
    private static Snapshot snapshot() {
        FakeCluster small = new FakeCluster(false);
        small.begin();
        Snapshot before = small.log.read(PdState::snapshot);
        RegionEntry first = before.getRegions(0);
        Snapshot.Builder many = before.toBuilder().clearRegions();
        long next = before.getNextId();
        for (int i = 0; i < REGIONS; i++) {
            RegionEntry.Builder region = first.toBuilder();
            region.getShapeBuilder()
                    .setRegionId(next++)
                    .setPeerId(next++)
                    .setStartKey(i == 0 ? ByteString.EMPTY : key(i))
                    .setEndKey(i == REGIONS - 1 ? ByteString.EMPTY : key(i + 1));
            many.addRegions(region);
        }
        return many.setNextId(next).build();
    }

    private static ByteString key(int i) {
        return ByteString.copyFromUtf8(String.format(Locale.ROOT, "table-%08d-row", i));
    }

    private static long cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
