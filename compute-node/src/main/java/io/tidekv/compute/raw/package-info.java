/**
 * Raw key-value commands in API modes V1 and V1TTL: reads over a snapshot, and write batches. Pure:
 * the time comes as a parameter. Keys are stored as they are.
 */
@NullMarked
package io.tidekv.compute.raw;

import org.jspecify.annotations.NullMarked;
