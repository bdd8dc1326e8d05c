package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.bytes;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.RegionShape;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Splits whose owner dies: whatever it had come to, there is one outcome and nothing is lost. */
class SplitCrashTest {
    /** More of them with {@code -Dtidekv.crashes=all}. */
    static List<Integer> messages() {
        boolean all = "all".equals(System.getProperty("tidekv.crashes"));
        return all ? List.of(0, 2, 3, 5, 7, 10, 15) : List.of(0, 3, 7, 15);
    }

    /** As kill -9 instead of the message after so many; renewals count as well. */
    @ParameterizedTest
    @MethodSource("messages")
    void anOwnerThatDiesDuringASplitLeavesOneOutcome(int messages) throws Exception {
        try (TestCluster cluster = new TestCluster()) {
            TestCluster.Node a = cluster.start("a");
            long id = cluster.onlyRegion();
            cluster.awaitLeading(id, a);
            Map<String, String> written = new TreeMap<>();
            for (char key = 'a'; key <= 'z'; key++) {
                put(a.region(id), String.valueOf(key), "v" + key);
                written.put(String.valueOf(key), "v" + key);
            }
            CountDownLatch dead = new CountDownLatch(1);
            cluster.wal.afterMessages(
                    a.registered.getOwner(),
                    messages,
                    () -> {
                        a.isolate();
                        dead.countDown();
                    });
            a.region(id).split(1, List.of(bytes("m")));
            assertThat(dead.await(15, TimeUnit.SECONDS)).isTrue();
            a.kill();
            TestCluster.Node b = cluster.start("b");
            cluster.pd.fail(a.id());
            await().atMost(PATIENCE).until(() -> covers(b));
            int parts = b.store.regions().size();
            System.out.println("dies after " + messages + " messages: " + parts + " regions");
            assertThat(parts).isEqualTo(cluster.pd.regionIds().size());
            written.forEach((key, value) -> assertThat(cluster.getAnywhere(key)).isEqualTo(value));
            // And the log holds whatever is needed for another owner to come to the same.
            cluster.putAnywhere("b", "again");
            cluster.putAnywhere("y", "again");
            b.kill();
            TestCluster.Node c = cluster.start("c");
            cluster.pd.fail(b.id());
            await().atMost(PATIENCE).until(() -> covers(c));
            assertThat(c.store.regions()).hasSize(parts);
            assertThat(cluster.getAnywhere("b")).isEqualTo("again");
            assertThat(cluster.getAnywhere("y")).isEqualTo("again");
            assertThat(cluster.getAnywhere("c")).isEqualTo("vc");
            assertThat(cluster.getAnywhere("x")).isEqualTo("vx");
        }
    }

    /** Writes that came while the first records were stored are in the parent's log only. */
    @Test
    void aChildThatHasNotPublishedLivesOnItsParentsLog() throws Exception {
        try (TestCluster cluster = new TestCluster()) {
            TestCluster.Node a = cluster.start("a");
            long id = cluster.onlyRegion();
            cluster.awaitLeading(id, a);
            RegionAccess.Region region = a.region(id);
            put(region, "a", "early");
            put(region, "z", "early");
            cluster.faults.setLatency(Duration.ofMillis(200));
            var parts = region.split(1, List.of(bytes("m")));
            int i = 0;
            while (region.shape().getVersion() == 1) {
                cluster.putAnywhere("a" + i, "during");
                cluster.putAnywhere("z" + i, "during");
                i++;
            }
            // Nobody can publish from here on.
            cluster.faults.setOutage(true);
            assertThat(parts.get(60, TimeUnit.SECONDS)).hasSize(2);
            assertThat(cluster.getAnywhere("a" + (i - 2))).isEqualTo("during");
            cluster.putAnywhere("a", "late");
            await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
            a.kill();
            cluster.faults.setOutage(false);
            cluster.faults.setLatency(Duration.ZERO);
            TestCluster.Node b = cluster.start("b");
            cluster.pd.fail(a.id());
            await().atMost(PATIENCE).until(() -> b.store.regions().size() == 2);
            for (int k = 0; k < i; k++) {
                assertThat(cluster.getAnywhere("a" + k)).as("a" + k).isEqualTo("during");
                assertThat(cluster.getAnywhere("z" + k)).as("z" + k).isEqualTo("during");
            }
            assertThat(cluster.getAnywhere("a")).isEqualTo("late");
            assertThat(cluster.getAnywhere("z")).isEqualTo("early");
        }
    }

    /** In key order, without gaps or overlaps, from the first key to the last. */
    private static boolean covers(TestCluster.Node node) {
        ByteString at = ByteString.EMPTY;
        List<RegionAccess.Region> regions = node.store.regions();
        for (RegionAccess.Region region : regions) {
            RegionShape shape = region.shape();
            if (!shape.getStartKey().equals(at)) {
                return false;
            }
            at = shape.getEndKey();
        }
        return !regions.isEmpty() && at.isEmpty();
    }
}
