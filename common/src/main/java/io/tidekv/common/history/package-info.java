/**
 * Judges of what clients of a key-value store have seen: each takes a history and names what no
 * correct store could have answered. Used by simulations and by tests of real processes. Pure and
 * single-threaded; a verdict depends on nothing but the history. Timestamps are unsigned.
 */
@NullMarked
package io.tidekv.common.history;

import org.jspecify.annotations.NullMarked;
