/**
 * Compactions that other processes do. {@link io.tidekv.compute.compaction.CompactionBoard} is
 * where the owners of regions and the workers that have asked for jobs meet in a store; {@link
 * io.tidekv.compute.compaction.CompactionWorker} is the worker. A worker only uploads; the owner
 * alone makes the result part of its region, or does without. Thread-safe, unless a class says
 * otherwise; nothing here is kept across a restart.
 */
@NullMarked
package io.tidekv.compute.compaction;

import org.jspecify.annotations.NullMarked;
