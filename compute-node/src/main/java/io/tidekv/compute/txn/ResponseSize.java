package io.tidekv.compute.txn;

import io.tidekv.compute.mvcc.TxnException;

/**
 * Bounds the bytes of a response. Cutting it short would be worse than an error: clients take a
 * short answer for the end of the region.
 */
public final class ResponseSize {
    private final long bytesMax;
    private long bytes;

    public ResponseSize(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Counts bytes of a pair; throws {@link TxnException} (Abort) beyond the bound. */
    public void add(long more) {
        bytes += more;
        if (bytes > bytesMax) {
            throw TxnException.abort(
                    "the answer is larger than " + bytesMax + " bytes: ask for fewer keys at once");
        }
    }
}
