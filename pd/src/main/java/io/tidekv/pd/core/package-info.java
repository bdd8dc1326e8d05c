/**
 * What PD replicates: commands in, results and state out. Pure and deterministic: every node that
 * applies the same commands has the same state, so nothing here reads a clock, draws a random
 * number or depends on the order of a hash table. Not thread-safe: the log's owner guards it.
 */
@NullMarked
package io.tidekv.pd.core;

import org.jspecify.annotations.NullMarked;
