/**
 * Tablets: the state of one region on one store. {@link io.tidekv.compute.tablet.Tablet} is what
 * the region driver applies committed entries to and reads from; {@link
 * io.tidekv.compute.tablet.TabletStore} opens them from published records; {@link
 * io.tidekv.compute.tablet.Publisher} turns their state into new records.
 *
 * <p>Threads: a tablet has one writer, the region's own thread; any thread reads snapshots; one
 * thread at a time publishes. Nothing kept locally is durable by contract. Durability order of a
 * publication: flushed files, then their objects, then the record, then the ManifestCommit in the
 * region's log.
 */
@NullMarked
package io.tidekv.compute.tablet;

import org.jspecify.annotations.NullMarked;
