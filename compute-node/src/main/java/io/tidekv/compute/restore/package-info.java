/**
 * States of regions made outside of a running cluster, for a cluster that begins with them: records
 * brought to the end of an archived log (docs/backup.md).
 *
 * <p>Threads: those of the tablets; calls block. Order: table files are stored before the record
 * that names them is handed out; who stores that decides what it is for.
 */
@NullMarked
package io.tidekv.compute.restore;

import org.jspecify.annotations.NullMarked;
