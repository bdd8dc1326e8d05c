/**
 * The archive of the region logs in the object store: what WAL nodes have shipped of their full
 * segments, in parts that are grouped by region ({@code docs/formats/archive.md}), and the reading
 * of one region's committed log out of it.
 *
 * <p>No threads; every call runs on the caller's and may block for the store. A part is durable
 * when its put has returned, and never changes.
 */
@NullMarked
package io.tidekv.objects.archive;

import org.jspecify.annotations.NullMarked;
