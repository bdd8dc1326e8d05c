/**
 * Runs key-value commands: request checks, latches, the read pool, snapshots and proposals. A
 * command holds its latches from before its snapshot until its batch is applied, and is answered
 * only after that.
 */
@NullMarked
package io.tidekv.compute.service;

import org.jspecify.annotations.NullMarked;
