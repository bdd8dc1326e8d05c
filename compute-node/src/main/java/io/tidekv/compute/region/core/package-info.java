/**
 * The leader of a region's log as a pure state machine: responses, connections and ticks in,
 * requests out. One thread at a time; no clock, thread or network inside.
 *
 * <p>The leader keeps nothing durable: a proposal is safe once {@code commitIndex()} has reached
 * it, for then a majority of the voters has it on disk.
 */
@NullMarked
package io.tidekv.compute.region.core;

import org.jspecify.annotations.NullMarked;
