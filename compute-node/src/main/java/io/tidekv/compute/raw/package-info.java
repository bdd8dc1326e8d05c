/**
 * Raw key-value commands in all API modes: reads over a snapshot, and write batches. Pure: the time
 * and the timestamps of writes come as parameters.
 */
@NullMarked
package io.tidekv.compute.raw;

import org.jspecify.annotations.NullMarked;
