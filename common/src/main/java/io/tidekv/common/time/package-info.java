/**
 * Injected time: clocks that are read and schedulers that call back. Simulated twins live beside
 * the real ones.
 */
@NullMarked
package io.tidekv.common.time;

import org.jspecify.annotations.NullMarked;
