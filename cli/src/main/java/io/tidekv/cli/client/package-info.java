/**
 * The internal client of the shell and the benchmark: routing by PD, a stream of batched commands
 * per store, timestamps in batches. Asynchronous: callbacks run on gRPC threads and must not block.
 */
@NullMarked
package io.tidekv.cli.client;

import org.jspecify.annotations.NullMarked;
