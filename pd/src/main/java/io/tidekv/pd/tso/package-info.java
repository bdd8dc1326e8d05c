/**
 * Timestamps: unique and growing over the whole cluster. The bound up to which they may go is in
 * the replicated state before any of them is given out; they themselves are counted in memory.
 */
@NullMarked
package io.tidekv.pd.tso;

import org.jspecify.annotations.NullMarked;
