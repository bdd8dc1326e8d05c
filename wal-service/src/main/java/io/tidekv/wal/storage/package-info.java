/**
 * The segments of a WAL node: one append-only log of the records of all its regions, and the index
 * that finds an entry in it. The format is in {@code docs/formats/wal.md}.
 *
 * <p>One thread at a time. Order of durability: a batch is written, then synced, then acknowledged
 * by the caller; a segment is made only after its predecessor is synced whole, and deleted only
 * after all that replaces its records is synced. A repair writes all that is whole to new segments,
 * syncs them, and only then decides to take them for the old ones.
 */
@NullMarked
package io.tidekv.wal.storage;

import org.jspecify.annotations.NullMarked;
