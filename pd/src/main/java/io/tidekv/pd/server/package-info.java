/**
 * Wiring of the PD process: settings, the one port for gRPC, etcd and HTTP, start and stop. Owns
 * the life of all other parts; they are closed in the reverse order of their start.
 */
@NullMarked
package io.tidekv.pd.server;

import org.jspecify.annotations.NullMarked;
