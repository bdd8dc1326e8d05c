/**
 * Measures the durable log on its real path: the leader core in this process, gRPC, and WAL nodes
 * in processes of their own, beside bare probes of the same disk and the same transport. One thread
 * drives all leaders, as a region loop of a store does.
 */
@NullMarked
package io.tidekv.cli.bench.wal;

import org.jspecify.annotations.NullMarked;
