package io.tidekv.pd.schedule;

import io.tidekv.common.config.Setting;
import java.time.Duration;

/** When PD calls a store dead and how it moves regions. */
public record ScheduleConfig(
        @Setting(value = "true", doc = "Even out the number of regions per store.") boolean balance,
        @Setting(value = "100ms", doc = "Shortest time between two looks at the balance.")
                Duration balanceInterval,
        @Setting(
                        value = "16",
                        doc = "Regions that PD moves at once, to even out the stores or drain one.")
                int movesAtOnce,
        @Setting(value = "8", doc = "Regions whose voters PD changes at once.")
                int voterChangesAtOnce,
        @Setting(
                        value = "10m",
                        doc =
                                "Silence after which a WAL node's place is given to others. 0s:"
                                        + " never.")
                Duration walReplaceAfter,
        @Setting(value = "2", doc = "Difference in regions between two stores that is left alone.")
                int balanceTolerance,
        @Setting(
                        value = "1500ms",
                        doc = "Silence after which a store's regions are given to others.")
                Duration storeTimeout,
        @Setting(value = "60s", doc = "Time after which a move or a split is given up.")
                Duration operatorTimeout,
        @Setting(
                        value = "0",
                        doc = "Warm copies of each region on other stores, for a quicker takeover.")
                int standbys) {
    public ScheduleConfig {
        if (storeTimeout.toMillis() < 100) {
            throw new IllegalArgumentException("schedule.store-timeout: expected at least 100ms");
        }
        if (standbys < 0 || standbys > 2) {
            throw new IllegalArgumentException("schedule.standbys: expected 0, 1 or 2");
        }
        if (movesAtOnce < 1 || voterChangesAtOnce < 1) {
            throw new IllegalArgumentException(
                    "schedule.moves-at-once and schedule.voter-changes-at-once: expected 1 or more");
        }
        if (!walReplaceAfter.isZero() && walReplaceAfter.toMillis() < 5_000) {
            throw new IllegalArgumentException(
                    "schedule.wal-replace-after: expected 5s or more, or 0s for never");
        }
        if (balanceTolerance < 1) {
            throw new IllegalArgumentException("schedule.balance-tolerance: expected 1 or more");
        }
    }
}
