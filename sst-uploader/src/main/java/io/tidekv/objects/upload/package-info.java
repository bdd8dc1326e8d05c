/**
 * Uploads: files and records on their way to the object store, under names that nobody else uses.
 *
 * <p>Threads: a small pool, empty when idle. Durability: when a call returns a reference, the
 * object is durable in the store; nothing refers to it until the caller publishes it.
 */
@NullMarked
package io.tidekv.objects.upload;

import org.jspecify.annotations.NullMarked;
