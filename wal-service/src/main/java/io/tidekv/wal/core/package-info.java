/**
 * The voters of a WAL node as a pure state machine: requests and ticks in, responses and durable
 * records out. One thread at a time; no clock, file or network inside.
 *
 * <p>Order of durability: whatever a request changes is handed to {@link
 * io.tidekv.wal.core.VoterStorage} before the memory changes, and the caller releases a response
 * only after everything appended before it is durable.
 */
@NullMarked
package io.tidekv.wal.core;

import org.jspecify.annotations.NullMarked;
