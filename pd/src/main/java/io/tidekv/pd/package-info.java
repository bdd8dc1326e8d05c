/**
 * Placement driver: cluster metadata as a replicated state machine, timestamps, terms, failure
 * detection and routing. {@code core} decides what is replicated, {@code ratis} replicates it,
 * {@code cluster} and {@code schedule} watch the stores, {@code grpc} and {@code http} answer.
 */
@NullMarked
package io.tidekv.pd;

import org.jspecify.annotations.NullMarked;
