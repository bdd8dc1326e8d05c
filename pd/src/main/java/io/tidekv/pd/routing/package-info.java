/**
 * Where keys are: regions and their leaders as clients are told. Joins the replicated state with
 * the stores' reports. Thread-safe, never blocks, no threads of its own.
 */
@NullMarked
package io.tidekv.pd.routing;

import org.jspecify.annotations.NullMarked;
