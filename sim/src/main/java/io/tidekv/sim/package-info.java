/** Deterministic simulation of region logs. */
@NullMarked
package io.tidekv.sim;

import org.jspecify.annotations.NullMarked;
