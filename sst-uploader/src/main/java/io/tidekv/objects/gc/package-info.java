/**
 * Garbage of the object store: which table files and records nobody can need any more, and their
 * deletion. The protocol and its argument are in docs/garbage.md.
 *
 * <p>Threads: none of its own. {@link io.tidekv.objects.gc.Marking} decides and does no I/O apart
 * from reading records; {@link io.tidekv.objects.gc.Collector} lists, asks for the roots and
 * deletes. Order: files are listed before the roots are read and records after; what is dead is
 * written to a deletion list, and deleted when it has stood there for the grace period and is still
 * dead, records before the files that they name.
 */
@NullMarked
package io.tidekv.objects.gc;

import org.jspecify.annotations.NullMarked;
