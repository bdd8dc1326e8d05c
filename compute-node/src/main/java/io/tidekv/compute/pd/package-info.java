/**
 * This store's side of its talks with PD: registration, reports and orders, ids for splits,
 * timestamps; with an in-memory twin of PD. Calls carry a deadline and follow PD's leader.
 */
@NullMarked
package io.tidekv.compute.pd;

import org.jspecify.annotations.NullMarked;
