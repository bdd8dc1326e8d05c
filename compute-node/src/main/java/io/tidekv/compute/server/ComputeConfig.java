package io.tidekv.compute.server;

import java.util.List;

/**
 * Settings of a compute process. Names of TiKV's configuration are kept where it has them.
 *
 * @param addr host:port that the gRPC services listen on; port 0 takes a free one
 * @param advertiseAddr host:port that clients and PD are told; empty: the bound address
 * @param statusAddr host:port of the status HTTP server; port 0 takes a free one
 * @param dataDir folder of a disposable cache; it may be deleted between two starts
 * @param objectStore URI of the object store, such as {@code file:DIR} or {@code s3://bucket}
 */
public record ComputeConfig(
        String addr,
        String advertiseAddr,
        String statusAddr,
        String dataDir,
        String objectStore,
        Pd pd,
        Storage storage) {

    /**
     * Where PD is.
     *
     * @param endpoints host:port of one or more members
     */
    public record Pd(List<String> endpoints) {}

    /**
     * API mode, checked against the cluster's.
     *
     * @param apiVersion 1 or 2
     * @param enableTtl raw values carry an expiry time
     */
    public record Storage(int apiVersion, boolean enableTtl) {}
}
