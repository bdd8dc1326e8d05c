/**
 * The log of PD on Apache Ratis: one Raft group of one or three nodes. A command is durable on a
 * majority before its result is known; the state is written to snapshots and the log before them
 * dropped. Ratis owns the threads; the state is guarded by a lock here.
 */
@NullMarked
package io.tidekv.pd.ratis;

import org.jspecify.annotations.NullMarked;
