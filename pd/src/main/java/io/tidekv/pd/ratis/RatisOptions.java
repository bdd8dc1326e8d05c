package io.tidekv.pd.ratis;

import io.tidekv.common.config.HostPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How a PD node takes part in its group.
 *
 * @param name of this node, a key of {@code peers}
 * @param folder of the log and the snapshots; this node's alone
 * @param listen where to listen for the other nodes
 * @param peers address of every node by name, this one included
 * @param electionTimeout shortest silence of the leader before another node stands for election
 * @param snapshotEvery entries after which a snapshot is taken
 */
public record RatisOptions(
        String name,
        Path folder,
        HostPort listen,
        Map<String, HostPort> peers,
        Duration electionTimeout,
        long snapshotEvery) {
    public RatisOptions {
        peers = Map.copyOf(peers);
        if (!peers.containsKey(name)) {
            throw new IllegalArgumentException(
                    "the initial cluster does not list this node, " + name);
        }
    }

    /** No other node can lead: nobody need be asked. */
    boolean alone() {
        return peers.size() == 1;
    }
}
