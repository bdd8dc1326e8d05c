/**
 * What nobody can read any more: versions below the safe point of garbage collection that newer
 * ones cover, and raw values whose time has ended. Pure: rows in, deletions out; no I/O, no
 * threads.
 */
@NullMarked
package io.tidekv.compute.tablet.garbage;

import org.jspecify.annotations.NullMarked;
