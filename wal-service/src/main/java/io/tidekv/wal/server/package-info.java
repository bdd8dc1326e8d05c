/**
 * A WAL node as a process or a part of one: settings, start, registration at PD, orderly end.
 * Threads: one for heartbeats and timers; the rest belongs to {@code service} and to the shared
 * event loops. The folder's identity is durable before anything is served.
 */
@NullMarked
package io.tidekv.wal.server;

import org.jspecify.annotations.NullMarked;
