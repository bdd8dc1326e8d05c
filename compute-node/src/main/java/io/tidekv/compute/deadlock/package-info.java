/**
 * Finds circles among the lock waits of all stores. The store that leads the region which begins
 * with the empty key keeps the graph of all waits; the others tell it over a stream. Nothing is
 * durable: when the detector is lost, every store tells the next one what still waits with it, and
 * a circle that nobody sees ends with the timeout of a wait. No thread is held: work runs on the
 * caller's threads, gRPC's callbacks and the timer.
 */
@NullMarked
package io.tidekv.compute.deadlock;

import org.jspecify.annotations.NullMarked;
