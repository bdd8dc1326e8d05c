package io.tidekv.compute.txn;

import io.tidekv.compute.mvcc.LockRecord;

/** What is known of a transaction at a key. */
sealed interface TxnStatus {
    record RolledBack() implements TxnStatus {}

    record Committed(long commitTs) implements TxnStatus {}

    /** Its lock had expired and was rolled back just now. */
    record ExpiredRollback() implements TxnStatus {}

    /** Its pessimistic lock had expired and was removed just now. */
    record ExpiredPessimisticRollback() implements TxnStatus {}

    /** Nothing was there; a rollback was written just now. */
    record MissingRollback() implements TxnStatus {}

    /** Nothing was there and nothing was written. */
    record MissingIgnored() implements TxnStatus {}

    /** The lock stands; {@code pushed}: its transaction commits above the caller's read. */
    record Uncommitted(LockRecord lock, boolean pushed) implements TxnStatus {}
}
