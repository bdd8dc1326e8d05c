/**
 * What the object store costs: requests and bytes, counted by {@link
 * io.tidekv.objects.store.MeteredObjectStore}, and a table of prices. Pure; no threads.
 */
@NullMarked
package io.tidekv.objects.cost;

import org.jspecify.annotations.NullMarked;
