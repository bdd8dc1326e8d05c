package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.get;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RegionStoreTest {
    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void aNewClusterTakesWritesAndReadsThemBack() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long region = cluster.onlyRegion();
        cluster.awaitLeading(region, node);
        RegionAccess.Region served = node.store.region(region);
        for (int i = 0; i < 100; i++) {
            put(served, "k" + i, "v" + i);
        }
        assertThat(get(served, "k42")).isEqualTo("v42");
        assertThat(get(served, "none")).isNull();
    }
}
