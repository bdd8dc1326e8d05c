/**
 * The threads of a WAL node: one writer, which hands requests to the voters in the order of arrival
 * and syncs once for all that have come. While that is little, the thread that has brought it does
 * so in the writer's place; never two at a time.
 *
 * <p>Order of durability: a response, and an entry of a tail, leaves only after everything handled
 * before it has been synced.
 */
@NullMarked
package io.tidekv.wal.service;

import org.jspecify.annotations.NullMarked;
