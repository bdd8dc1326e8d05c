package io.tidekv.common.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MetricsTest {
    @Test
    void rolesKeepApartAndShareTheProcess() {
        Metrics wal = new Metrics();
        Metrics pd = new Metrics();
        wal.seconds("tidekv_sync_seconds", "Syncs.", "kind").labelValues("group").observe(0.003);
        wal.gauge("tidekv_regions", "Regions.", () -> 5);
        pd.counter("tidekv_sync_seconds_total", "The same name elsewhere.").inc();
        assertThat(wal.expose())
                .contains("tidekv_sync_seconds_bucket{kind=\"group\",le=\"0.005\"} 1")
                .contains("tidekv_regions 5.0")
                .contains("process_start_time_seconds");
        assertThat(pd.expose())
                .contains("tidekv_sync_seconds_total 1.0")
                .contains("process_start_time_seconds")
                .doesNotContain("tidekv_regions");
    }
}
