/**
 * The replicated log as the rest of PD sees it: submit a command, read the state, know whether this
 * node leads. The Ratis implementation is in {@code ratis}; the one in memory serves tests and
 * simulations.
 */
@NullMarked
package io.tidekv.pd.log;

import org.jspecify.annotations.NullMarked;
