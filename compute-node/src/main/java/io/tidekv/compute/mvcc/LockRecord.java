package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The lock of a transaction on a key, TiKV's {@code Lock}.
 *
 * @param ttlMs milliseconds from the start timestamp on after which others may resolve it
 * @param shortValue value to be put, when it has at most 255 bytes
 * @param forUpdateTs not 0 in pessimistic transactions
 * @param txnSize keys of the transaction in this region, as the client estimates
 * @param minCommitTs the transaction commits at or above; 0 when not tracked
 * @param secondaries other keys of an asynchronously committed transaction, in its primary's lock
 * @param rollbackTs start timestamps of other transactions rolled back while this lock stood
 * @param lastChange set for kinds that change nothing
 */
public record LockRecord(
        LockKind kind,
        ByteString primary,
        long startTs,
        long ttlMs,
        @Nullable ByteString shortValue,
        long forUpdateTs,
        long txnSize,
        long minCommitTs,
        boolean useAsyncCommit,
        List<ByteString> secondaries,
        List<Long> rollbackTs,
        LastChange lastChange,
        long txnSource,
        boolean lockedWithConflict,
        long generation) {

    /** Longest value that is kept inside a lock or commit record. */
    public static final int SHORT_VALUE_MAX = 255;

    public boolean isPessimistic() {
        return kind == LockKind.PESSIMISTIC;
    }

    /** A builder that starts with this record. */
    public Builder toBuilder() {
        Builder builder = new Builder(kind, primary, startTs);
        builder.ttlMs = ttlMs;
        builder.shortValue = shortValue;
        builder.forUpdateTs = forUpdateTs;
        builder.txnSize = txnSize;
        builder.minCommitTs = minCommitTs;
        builder.useAsyncCommit = useAsyncCommit;
        builder.secondaries = secondaries;
        builder.rollbackTs = rollbackTs;
        builder.lastChange = lastChange;
        builder.txnSource = txnSource;
        builder.lockedWithConflict = lockedWithConflict;
        builder.generation = generation;
        return builder;
    }

    public static Builder builder(LockKind kind, ByteString primary, long startTs) {
        return new Builder(kind, primary, startTs);
    }

    /** Collects the parts; what is not set is absent from the record. */
    public static final class Builder {
        private final LockKind kind;
        private final ByteString primary;
        private final long startTs;
        private long ttlMs;
        private @Nullable ByteString shortValue;
        private long forUpdateTs;
        private long txnSize;
        private long minCommitTs;
        private boolean useAsyncCommit;
        private List<ByteString> secondaries = List.of();
        private List<Long> rollbackTs = List.of();
        private LastChange lastChange = LastChange.UNKNOWN;
        private long txnSource;
        private boolean lockedWithConflict;
        private long generation;

        private Builder(LockKind kind, ByteString primary, long startTs) {
            this.kind = kind;
            this.primary = primary;
            this.startTs = startTs;
        }

        public Builder ttlMs(long value) {
            ttlMs = value;
            return this;
        }

        public Builder shortValue(@Nullable ByteString value) {
            shortValue = value;
            return this;
        }

        public Builder forUpdateTs(long value) {
            forUpdateTs = value;
            return this;
        }

        public Builder txnSize(long value) {
            txnSize = value;
            return this;
        }

        public Builder minCommitTs(long value) {
            minCommitTs = value;
            return this;
        }

        public Builder asyncCommit(List<ByteString> otherKeys) {
            useAsyncCommit = true;
            secondaries = List.copyOf(otherKeys);
            return this;
        }

        public Builder rollbackTs(List<Long> values) {
            rollbackTs = List.copyOf(values);
            return this;
        }

        public Builder lastChange(LastChange value) {
            lastChange = value;
            return this;
        }

        public Builder txnSource(long value) {
            txnSource = value;
            return this;
        }

        public Builder lockedWithConflict(boolean value) {
            lockedWithConflict = value;
            return this;
        }

        public Builder generation(long value) {
            generation = value;
            return this;
        }

        public LockRecord build() {
            return new LockRecord(
                    kind,
                    primary,
                    startTs,
                    ttlMs,
                    shortValue,
                    forUpdateTs,
                    txnSize,
                    minCommitTs,
                    useAsyncCommit,
                    secondaries,
                    rollbackTs,
                    lastChange,
                    txnSource,
                    lockedWithConflict,
                    generation);
        }
    }
}
