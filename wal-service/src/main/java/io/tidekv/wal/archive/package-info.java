/**
 * Ships full segments to the object store ({@code docs/formats/archive.md}), one at a time, on a
 * thread of its own. Reads them through handles of its own; touches nothing that voters need.
 *
 * <p>Order of durability: a segment is in the object store, whole, before the writer is told that
 * it may be deleted. What has been shipped is remembered by the names in the store alone.
 */
@NullMarked
package io.tidekv.wal.archive;

import org.jspecify.annotations.NullMarked;
