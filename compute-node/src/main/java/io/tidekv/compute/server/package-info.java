/**
 * The compute process: its settings, and the wiring of its parts. Nothing on the local disk is
 * needed after a restart.
 */
@NullMarked
package io.tidekv.compute.server;

import org.jspecify.annotations.NullMarked;
