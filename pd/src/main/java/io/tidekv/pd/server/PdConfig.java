package io.tidekv.pd.server;

import io.tidekv.common.config.Section;
import io.tidekv.common.config.Setting;
import io.tidekv.pd.schedule.ScheduleConfig;
import java.time.Duration;
import java.util.List;

/** Settings of one PD node, named as PD's own where they mean the same. */
public record PdConfig(
        @Setting(value = "pd", doc = "Name of this node; one of those in initial-cluster.")
                String name,
        @Setting(
                        value = "pd-data",
                        doc = "Folder of the replicated log. It belongs to this node alone.")
                String dataDir,
        @Setting(
                        value = "http://127.0.0.1:2379",
                        doc = "Where to listen for clients (gRPC, etcd, HTTP). Port 0: a free one.")
                String clientUrls,
        @Setting(doc = "What clients are told to connect to. Empty: as client-urls.")
                String advertiseClientUrls,
        @Setting(
                        value = "http://127.0.0.1:2380",
                        doc = "Where to listen for the other PD nodes. Port 0: a free one.")
                String peerUrls,
        @Setting(
                        doc =
                                "name=peer-url of every PD node, separated by commas; one or three."
                                        + " Empty: this node alone.")
                List<String> initialCluster,
        @Setting(
                        value = "",
                        doc =
                                "File of `tidekv ctl recover` or `tidekv ctl backup restore`: what"
                                        + " the cluster begins with. Of no effect later.")
                String restorePlan,
        @Section("How the log of each region is kept.") Replication replication,
        @Section("Moving regions between stores.") ScheduleConfig schedule,
        @Section("What the cluster is for its clients.") Service pdServer,
        @Section("Replication between PD nodes.") Raft raft) {

    /** How the log of each region is kept; fixed when the cluster begins. */
    public record Replication(
            @Setting(
                            value = "3",
                            doc =
                                    "WAL nodes that keep the log of a region. A majority must live."
                                            + " Read when the cluster begins, fixed from then on.")
                    int voters) {
        public Replication {
            if (voters < 1 || voters > 7 || voters % 2 == 0) {
                throw new IllegalArgumentException(
                        "replication.voters: expected 1, 3, 5 or 7, not " + voters);
            }
        }
    }

    /** What the cluster is for its clients. */
    public record Service(
            @Setting(
                            doc =
                                    "\"1\" (raw and transactions, no TTL), \"1ttl\" (raw with TTL)"
                                            + " or \"2\"; fixed when the cluster begins. Empty: the"
                                            + " first store's.")
                    String apiVersion) {
        public Service {
            modeOf(apiVersion);
        }

        /** 1, 2 or 3 for V1, V1TTL and V2; 0 when it is left to the first store. */
        public int apiMode() {
            return modeOf(apiVersion);
        }

        private static int modeOf(String apiVersion) {
            return switch (apiVersion) {
                case "" -> 0;
                case "1" -> 1;
                case "1ttl" -> 2;
                case "2" -> 3;
                default ->
                        throw new IllegalArgumentException(
                                "pd-server.api-version: expected \"1\", \"1ttl\" or \"2\", not \""
                                        + apiVersion
                                        + "\"");
            };
        }
    }

    /** Replication between PD nodes. */
    public record Raft(
            @Setting(
                            value = "1500ms",
                            doc =
                                    "Shortest silence of the leader after which another node takes"
                                            + " over. Of no effect with one node.")
                    Duration electionTimeout) {
        public Raft {
            if (electionTimeout.toMillis() < 100) {
                throw new IllegalArgumentException(
                        "raft.election-timeout: expected at least 100ms");
            }
        }
    }

    public PdConfig {
        if (name.isBlank()) {
            throw new IllegalArgumentException("name: expected a name");
        }
        if (dataDir.isBlank()) {
            throw new IllegalArgumentException("data-dir: expected a folder");
        }
        initialCluster = List.copyOf(initialCluster);
        Topology.of(name, clientUrls, advertiseClientUrls, peerUrls, initialCluster);
    }
}
