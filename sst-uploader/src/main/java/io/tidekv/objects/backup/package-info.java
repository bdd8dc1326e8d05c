/**
 * Backups: sets of references to records, which the collector of garbage does not touch. Nothing is
 * copied. The states of a running cluster are taken as of one moment; docs/adr/0020.
 *
 * <p>Threads: none of its own. Order: a backup is written within half of the shortest grace period
 * of the collector, counted from before the records were published, by the store's clock; so none
 * of them can be deleted before the collector sees the backup.
 */
@NullMarked
package io.tidekv.objects.backup;

import org.jspecify.annotations.NullMarked;
