/**
 * The wire side of a WAL node: streams of requests and responses, tails, status. Callbacks run on
 * the node's own event loops and queue; the writer's thread answers, or, while there is little to
 * do, the event loop itself, which waits for the disk then. Memory is bounded by taking no message
 * while a stream's earlier ones hold {@code WINDOW_BYTES}.
 */
@NullMarked
package io.tidekv.wal.grpc;

import org.jspecify.annotations.NullMarked;
