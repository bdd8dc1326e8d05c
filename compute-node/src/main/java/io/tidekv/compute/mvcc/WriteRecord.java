package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * What a transaction did to a key, stored at its commit timestamp (a rollback at the start
 * timestamp): TiKV's {@code Write}.
 *
 * @param shortValue value put, when it has at most 255 bytes; {@code p} in a protected rollback
 * @param overlappedRollback also stands for the rollback of the transaction that started at this
 *     record's own timestamp
 * @param gcFence set with {@code overlappedRollback}: commit timestamp of the next version when the
 *     record was rewritten, 0 for none; null when not set
 */
public record WriteRecord(
        WriteKind kind,
        long startTs,
        @Nullable ByteString shortValue,
        boolean overlappedRollback,
        @Nullable Long gcFence,
        LastChange lastChange,
        long txnSource) {

    /** Marks a rollback that later rollbacks must not collapse. */
    private static final ByteString PROTECTED = ByteString.copyFromUtf8("p");

    public static WriteRecord of(WriteKind kind, long startTs, @Nullable ByteString shortValue) {
        return new WriteRecord(kind, startTs, shortValue, false, null, LastChange.UNKNOWN, 0);
    }

    public static WriteRecord rollback(long startTs, boolean isProtected) {
        return of(WriteKind.ROLLBACK, startTs, isProtected ? PROTECTED : null);
    }

    public boolean isProtectedRollback() {
        return kind == WriteKind.ROLLBACK && PROTECTED.equals(shortValue);
    }

    /** The same record, standing for a rollback too. */
    public WriteRecord withOverlappedRollback(@Nullable Long fence) {
        return new WriteRecord(kind, startTs, shortValue, true, fence, lastChange, txnSource);
    }

    public WriteRecord withLastChange(LastChange change) {
        return new WriteRecord(
                kind, startTs, shortValue, overlappedRollback, gcFence, change, txnSource);
    }

    public WriteRecord withTxnSource(long source) {
        return new WriteRecord(
                kind, startTs, shortValue, overlappedRollback, gcFence, lastChange, source);
    }

    /**
     * False when the record was kept only as a rollback mark after garbage collection had dropped a
     * newer version: a reader at {@code readTs} must treat the key as absent.
     */
    public boolean isLatestAt(long readTs) {
        return gcFence == null || gcFence == 0 || Ts.less(readTs, gcFence);
    }
}
