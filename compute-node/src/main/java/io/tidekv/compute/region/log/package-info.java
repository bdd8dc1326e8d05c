/**
 * The log of a region as its owner sees it: {@code RegionLog}, the one over voters on WAL nodes,
 * and a twin in memory. What drives regions knows nothing else of a log. One thread at a time; what
 * is read from a log is durable.
 */
@NullMarked
package io.tidekv.compute.region.log;

import org.jspecify.annotations.NullMarked;
