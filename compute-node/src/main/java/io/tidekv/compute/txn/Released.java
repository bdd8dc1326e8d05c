package io.tidekv.compute.txn;

import io.tidekv.compute.mvcc.TxnKey;

/**
 * A lock that a command removes; who waits for the key may go on once the command is applied.
 *
 * @param startTs of the transaction that held it
 * @param commitTs 0 when it was rolled back
 */
public record Released(TxnKey key, long startTs, long commitTs) {}
