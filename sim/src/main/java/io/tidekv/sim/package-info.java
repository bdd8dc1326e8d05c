/**
 * Deterministic simulation of region logs: the real voters and the real leaders, with everything
 * around them simulated in one thread. {@link io.tidekv.sim.Simulation} runs a seed.
 */
@NullMarked
package io.tidekv.sim;

import org.jspecify.annotations.NullMarked;
