/**
 * Transactional commands as TiKV answers them: each reads one snapshot and gives a response and,
 * when it changes something, a write batch. Pure: no threads, no clock. The caller holds the
 * latches of the command's keys from before the snapshot until the batch is applied.
 */
@NullMarked
package io.tidekv.compute.txn;

import org.jspecify.annotations.NullMarked;
