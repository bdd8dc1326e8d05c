package io.tidekv.pd.server;

/**
 * Settings of one PD node. Lists of URLs are separated by commas.
 *
 * @param name of this node, one of the names in {@code initialCluster}
 * @param dataDir folder of the replicated log and its snapshots
 * @param clientUrls where to listen for clients, such as {@code http://127.0.0.1:2379}; port 0
 *     takes a free one
 * @param advertiseClientUrls what clients are told; empty: as {@code clientUrls}
 * @param peerUrls where to listen for the other PD nodes; port 0 takes a free one
 * @param initialCluster {@code name=peer-url} of every PD node; empty: this node alone
 * @param apiVersion "1", "1ttl" or "2"; empty: the first store's
 * @param voters WAL nodes that keep the log of each region
 */
public record PdConfig(
        String name,
        String dataDir,
        String clientUrls,
        String advertiseClientUrls,
        String peerUrls,
        String initialCluster,
        String apiVersion,
        int voters) {}
