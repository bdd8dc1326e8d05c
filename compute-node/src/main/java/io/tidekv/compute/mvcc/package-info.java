/**
 * Versions of transactional keys as TiKV stores them, byte for byte: locks in column family {@code
 * lock} under the memory-comparable key; commit records in {@code write} under key and descending
 * commit timestamp; values above 255 bytes in {@code default} under key and descending start
 * timestamp. Pure over snapshots and write batches: no threads, no clock. Timestamps are unsigned.
 */
@NullMarked
package io.tidekv.compute.mvcc;

import org.jspecify.annotations.NullMarked;
