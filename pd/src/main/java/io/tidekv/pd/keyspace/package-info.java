/**
 * Keyspaces: tenants of a cluster of API V2, kept in PD's key space under the names that PD uses.
 * Thread-safe; a change is durable on a majority before it is answered.
 */
@NullMarked
package io.tidekv.pd.keyspace;

import org.jspecify.annotations.NullMarked;
