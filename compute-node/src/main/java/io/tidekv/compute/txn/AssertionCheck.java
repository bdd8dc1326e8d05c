package io.tidekv.compute.txn;

import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.proto.kvrpcpb.Assertion;
import io.tidekv.proto.kvrpcpb.AssertionLevel;
import org.jspecify.annotations.Nullable;

/**
 * Checks what a client believes about the existence of its keys. Level {@code Fast} looks only at
 * what was read anyway, {@code Strict} reads when need be.
 */
final class AssertionCheck {
    private final AssertionLevel level;
    private final long startTs;
    private final MvccReader reader;

    AssertionCheck(AssertionLevel level, long startTs, MvccReader reader) {
        this.level = level;
        this.startTs = startTs;
        this.reader = reader;
    }

    /**
     * Throws when the assertion fails.
     *
     * @param wasRead whether the newest version was looked for
     * @param newest newest version of the key; null also when it was not read
     */
    void check(TxnKey key, Assertion assertion, boolean wasRead, @Nullable Version newest) {
        if (assertion == Assertion.None || level == AssertionLevel.Off) {
            return;
        }
        if (!wasRead && level != AssertionLevel.Strict) {
            return;
        }
        @Nullable Version version = newest;
        boolean decisive = newest != null && newest.write().kind().changesData();
        if (!wasRead || (newest != null && !decisive)) {
            if (level != AssertionLevel.Strict) {
                return;
            }
            version = reader.newestChange(key, Ts.MAX);
        }
        boolean exists =
                version != null
                        && version.write().kind() == WriteKind.PUT
                        && version.write().isLatestAt(Ts.MAX);
        if (exists != (assertion == Assertion.Exist)) {
            throw new TxnException(
                    new TxnError.AssertionFailed(
                            startTs,
                            key.raw(),
                            assertion == Assertion.Exist,
                            version == null ? 0 : version.write().startTs(),
                            version == null ? 0 : version.commitTs()));
        }
    }
}
