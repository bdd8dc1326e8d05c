/**
 * Column families, snapshots and write batches: what the key-value layers see of a tablet, with an
 * in-memory twin.
 */
@NullMarked
package io.tidekv.compute.engine;

import org.jspecify.annotations.NullMarked;
