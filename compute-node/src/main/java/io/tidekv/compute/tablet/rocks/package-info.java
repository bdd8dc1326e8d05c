/**
 * Tablets on RocksDB. A tablet's RocksDB is rebuilt from the region's record each time it is opened
 * and never opened a second time: its directory is a cache. RocksDB's own WAL is off, for the
 * region's log is the WAL; the mark of the last applied entry is written with the entry.
 *
 * <p>Threads: the region's thread applies; any thread reads; publishing, compaction and hydration
 * each have at most one thread at a time per tablet. Whoever calls into RocksDB holds a use of the
 * {@code Instance}, for closing it under a call ends the process.
 */
@NullMarked
package io.tidekv.compute.tablet.rocks;

import org.jspecify.annotations.NullMarked;
