/**
 * A cluster made from objects of an older one: which records cover the key space, and first records
 * of the new regions derived from them. Nothing is copied. PD begins with the plan that comes out;
 * docs/backup.md.
 *
 * <p>Threads: none of its own; blocking. Order: first records are stored before the plan is
 * written, and name files that older records hold, so a plan that is thrown away leaves small
 * garbage.
 */
@NullMarked
package io.tidekv.objects.restore;

import org.jspecify.annotations.NullMarked;
