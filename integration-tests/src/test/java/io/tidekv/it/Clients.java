package io.tidekv.it;

import org.tikv.common.TiConfiguration;

/**
 * The client's settings for tests: its own, with more patience, for a test machine is slow at
 * times.
 */
final class Clients {
    private static final int PATIENCE_MS = 30_000;

    private Clients() {}

    static TiConfiguration txn(Playground playground) {
        TiConfiguration conf = TiConfiguration.createDefault(playground.pd());
        conf.setTimeout(PATIENCE_MS);
        return conf;
    }

    static TiConfiguration raw(Playground playground) {
        TiConfiguration conf = TiConfiguration.createRawDefault(playground.pd());
        conf.setTimeout(PATIENCE_MS);
        conf.setRawKVReadTimeoutInMS(PATIENCE_MS);
        conf.setRawKVWriteTimeoutInMS(PATIENCE_MS);
        conf.setRawKVBatchReadTimeoutInMS(PATIENCE_MS);
        conf.setRawKVBatchWriteTimeoutInMS(PATIENCE_MS);
        conf.setRawKVScanTimeoutInMS(PATIENCE_MS);
        conf.setRawKVCleanTimeoutInMS(PATIENCE_MS);
        return conf;
    }
}
