/**
 * Hydration: files of the object store on the local disk, fetched when somebody needs them.
 *
 * <p>Threads: a small pool for fetches, empty when idle. Durability: nothing here has to survive;
 * what does is checked before it is trusted.
 */
@NullMarked
package io.tidekv.objects.hydrate;

import org.jspecify.annotations.NullMarked;
