/**
 * Regions of a compute store: who serves what, the proposal pipeline, lease reads, split, move and
 * takeover.
 */
@NullMarked
package io.tidekv.compute.region;

import org.jspecify.annotations.NullMarked;
