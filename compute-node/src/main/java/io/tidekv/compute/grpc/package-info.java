/**
 * The store's edge towards TiKV's clients: tikvpb unary and batched, health. Handlers are
 * asynchronous; no thread waits for a write. Nothing here decides anything about data.
 */
@NullMarked
package io.tidekv.compute.grpc;

import org.jspecify.annotations.NullMarked;
