package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.TxnTrace;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of locks in states of regions that nobody serves and that no transaction goes on in,
 * in which for every commit record that stays all prewrites of its transaction are there, too.
 * Pure.
 */
public final class LeftoverLocks {
    private static final int BATCH_BYTES = 256 << 10;

    private LeftoverLocks() {}

    /** A lock and the key that it is on. */
    public record Found(TxnKey key, LockRecord lock) {}

    /**
     * What a key says about a transaction.
     *
     * @param commitTs when it was committed; 0: it is not
     * @param lock of the transaction; null: none
     */
    public record Trace(long commitTs, @Nullable LockRecord lock) {}

    /** All locks of a region. */
    public static List<Found> all(KvSnapshot view) {
        List<Found> found = new ArrayList<>();
        try (KvIterator locks = view.iterator(Cf.LOCK, new byte[0], null)) {
            for (locks.seekToFirst(); locks.isValid(); locks.next()) {
                found.add(
                        new Found(TxnKey.ofEncoded(locks.key()), LockCodec.decode(locks.value())));
            }
        }
        return found;
    }

    /** What a key says about the transaction that began at {@code startTs}. */
    public static Trace trace(KvSnapshot view, TxnKey key, long startTs) {
        try (MvccReader reader = new MvccReader(view)) {
            LockRecord lock = reader.lock(key);
            boolean own = lock != null && lock.startTs() == startTs && !lock.isPessimistic();
            TxnTrace trace = reader.trace(key, startTs);
            boolean committed = trace instanceof TxnTrace.Found found && !found.isRollback();
            return new Trace(
                    committed ? ((TxnTrace.Found) trace).version().commitTs() : 0,
                    own ? lock : null);
        }
    }

    /**
     * When a transaction whose primary is still locked was committed, by the primary and all the
     * keys that it names; 0: it never was. One whose commit timestamp does not lie in its locks was
     * committed nowhere, for its primary comes first.
     */
    public static long commitTs(LockRecord primary, List<Trace> secondaries) {
        if (!primary.useAsyncCommit()) {
            return 0;
        }
        long commitTs = primary.minCommitTs();
        boolean whole = true;
        for (Trace secondary : secondaries) {
            if (secondary.commitTs != 0) {
                return secondary.commitTs;
            }
            LockRecord lock = secondary.lock;
            whole &= lock != null && lock.useAsyncCommit();
            commitTs = lock == null ? commitTs : Ts.max(commitTs, lock.minCommitTs());
        }
        return whole ? commitTs : 0;
    }

    /**
     * Settles a lock.
     *
     * @param commitTs 0 rolls back
     */
    public static ByteString settle(KvSnapshot view, Found found, long commitTs) {
        MvccWriter writer = new MvccWriter();
        LockRecord lock = found.lock;
        try (TxnActions txn = new TxnActions(view, lock.startTs(), writer)) {
            if (commitTs != 0) {
                txn.commit(found.key, commitTs);
            } else {
                txn.rollbackLock(found.key, lock, true);
            }
        }
        return writer.batch().build();
    }

    /**
     * When transactions committed that began at one of these timestamps, as far as is seen here.
     */
    public static Map<Long, Long> commits(KvSnapshot view, Set<Long> startTs) {
        Map<Long, Long> found = new HashMap<>();
        try (KvIterator rows = view.iterator(Cf.WRITE, new byte[0], null)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                Version version = versionOf(rows);
                WriteRecord write = version.write();
                if (write.kind() != WriteKind.ROLLBACK && startTs.contains(write.startTs())) {
                    found.put(write.startTs(), version.commitTs());
                }
            }
        }
        return found;
    }

    /** Removes what was committed after {@code ts}, in batches. */
    public static void removeAfter(KvSnapshot view, long ts, Consumer<ByteString> sink) {
        MvccWriter writer = new MvccWriter();
        try (KvIterator rows = view.iterator(Cf.WRITE, new byte[0], null)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                TxnKey key = TxnKey.ofVersioned(rows.key());
                Version version = versionOf(rows);
                if (Ts.atMost(version.commitTs(), ts)) {
                    continue;
                }
                WriteRecord write = version.write();
                writer.deleteWrite(key, version.commitTs());
                if (write.kind() == WriteKind.PUT && write.shortValue() == null) {
                    writer.deleteValue(key, write.startTs());
                }
                if (writer.batch().sizeBytes() > BATCH_BYTES) {
                    sink.accept(writer.batch().build());
                    writer = new MvccWriter();
                }
            }
        }
        if (!writer.batch().isEmpty()) {
            sink.accept(writer.batch().build());
        }
    }

    private static Version versionOf(KvIterator row) {
        return new Version(Ints.lastDesc(row.key()), WriteCodec.decode(row.value()));
    }
}
