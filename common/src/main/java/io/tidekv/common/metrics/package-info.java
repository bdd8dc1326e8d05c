/**
 * Metrics: one registry per role, so that roles of one process keep apart; the Java machine's own
 * are added once per process. Thread-safe; no threads.
 */
@NullMarked
package io.tidekv.common.metrics;

import org.jspecify.annotations.NullMarked;
