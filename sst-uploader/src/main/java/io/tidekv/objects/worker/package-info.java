/**
 * The process {@code tidekv sst-uploader}: looks after a cluster's objects from outside. It reads
 * all records and what they refer to, again and again, and says what is damaged; it writes and
 * deletes nothing.
 *
 * <p>Threads: one that scrubs, and those of the status server.
 */
@NullMarked
package io.tidekv.objects.worker;

import org.jspecify.annotations.NullMarked;
