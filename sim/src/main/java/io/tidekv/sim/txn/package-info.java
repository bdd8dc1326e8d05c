/**
 * Deterministic simulation of transactions: the real transactional services of several stores, with
 * clients, network, time, timestamps, region logs and owners simulated in one thread. {@link
 * io.tidekv.sim.txn.TxnSimulation} runs a seed and judges what its clients saw.
 */
@NullMarked
package io.tidekv.sim.txn;

import org.jspecify.annotations.NullMarked;
