package io.tidekv.compute.region.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.LoggedConfig;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * The configs of the leader's log and where each stands. In force is the newest, committed or not.
 *
 * <p>Invariants: there is at least one; indexes ascend. Generations do so among the entries; the
 * first one, when a voter had it from Create, may be newer than it should be, for whoever created
 * that voter knew a later config to be committed.
 */
final class ConfigLog {
    private record Placed(long index, VoterConfig config) {}

    private final List<Placed> placed = new ArrayList<>();

    ConfigLog(long index, VoterConfig config) {
        placed.add(new Placed(index, config));
    }

    static ConfigLog of(Answer log) {
        ConfigLog configs = new ConfigLog(log.snapshot().getIndex(), log.snapshot().getConfig());
        for (LoggedConfig logged : log.loggedConfigs()) {
            configs.append(logged.getIndex(), logged.getConfig());
        }
        return configs;
    }

    void append(long index, VoterConfig config) {
        Invariants.check(index > newestIndex(), "a config at %s after %s", index, newestIndex());
        placed.add(new Placed(index, config));
    }

    VoterConfig newest() {
        return placed.get(placed.size() - 1).config();
    }

    long newestIndex() {
        return placed.get(placed.size() - 1).index();
    }

    /** What was in force at an index; the oldest that is known when it lies before that. */
    VoterConfig at(long index) {
        VoterConfig config = placed.get(0).config();
        for (Placed each : placed) {
            config = each.index() <= index ? each.config() : config;
        }
        return config;
    }

    /** Forgets what was replaced before or at an index. */
    void trimTo(long index) {
        while (placed.size() > 1 && placed.get(1).index() <= index) {
            placed.remove(0);
        }
    }
}
