/**
 * The wire side of a WAL node: streams of requests and responses, tails, status. Callbacks run on
 * the event loops and only queue; the writer's thread answers. Memory is bounded by taking no
 * message while a stream's earlier ones hold {@code WINDOW_BYTES}.
 */
@NullMarked
package io.tidekv.wal.grpc;

import org.jspecify.annotations.NullMarked;
