package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.ReadPolicy;
import io.tidekv.compute.mvcc.ReadPolicy.Isolation;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a store keeps in memory so that transactions may commit at a timestamp that the store itself
 * chooses: the highest timestamp that was read at, and the locks of prewrites under way. A reader
 * raises the timestamp and then looks at the locks; a writer enters its lock and then reads the
 * timestamp. So at least one of them sees the other, and no reader misses a commit at or below its
 * timestamp. Source: tikv {@code components/concurrency_manager}. Thread-safe.
 */
public final class Concurrency {
    private final TxnRules rules;
    private final AtomicLong maxTs = new AtomicLong();
    private final ConcurrentNavigableMap<byte[], Held> held =
            new ConcurrentSkipListMap<>(Arrays::compareUnsigned);

    public Concurrency() {
        this(TxnRules.STANDARD);
    }

    public Concurrency(TxnRules rules) {
        this.rules = rules;
    }

    /** The rules in force. */
    public TxnRules rules() {
        return rules;
    }

    /** A memory lock; its content is guarded by itself and not known at first. */
    private static final class Held {
        private @Nullable LockRecord lock;
        private boolean onePhase;
    }

    /** The highest timestamp that anybody has read at here. */
    public long maxTs() {
        return maxTs.get();
    }

    /** A read at {@code ts} begins. The maximum timestamp reads the newest data and is no time. */
    public void raise(long ts) {
        if (ts != Ts.MAX && Ts.less(maxTs.get(), ts)) {
            maxTs.accumulateAndGet(ts, Ts::max);
        }
    }

    /**
     * Makes a lock known to readers.
     *
     * @param make the lock for a highest read timestamp, or null when there shall be none
     * @param onePhase it will be committed by the batch that would write it
     */
    @Nullable LockRecord publish(
            MemoryLocks locks,
            TxnKey key,
            boolean onePhase,
            LongFunction<@Nullable LockRecord> make) {
        Held entry = new Held();
        synchronized (entry) {
            held.put(key.encoded(), entry);
            LockRecord lock = make.apply(maxTs.get());
            if (lock == null) {
                held.remove(key.encoded(), entry);
                return null;
            }
            entry.lock = lock;
            entry.onePhase = onePhase;
            if (rules.memoryLocksLast()) {
                locks.add(() -> held.remove(key.encoded(), entry));
            } else {
                held.remove(key.encoded(), entry);
            }
            return lock;
        }
    }

    /**
     * Begins a read of keys as clients know them: throws {@link TxnException} when a memory lock is
     * in its way.
     */
    public void beginRead(List<ByteString> keys, ReadPolicy policy) {
        raiseForRead(policy.ts());
        if (held.isEmpty() || policy.isolation() == Isolation.READ_COMMITTED) {
            return;
        }
        for (ByteString raw : keys) {
            byte[] key = TxnKey.of(raw).encoded();
            check(key, held.get(key), policy);
        }
    }

    /** Begins a read of a range of stored keys; null bounds are open. */
    public void beginRead(byte @Nullable [] lower, byte @Nullable [] upper, ReadPolicy policy) {
        raiseForRead(policy.ts());
        if (held.isEmpty() || policy.isolation() == Isolation.READ_COMMITTED) {
            return;
        }
        range(lower, upper).forEach((key, entry) -> check(key, entry, policy));
    }

    /**
     * A lock in the range whose transaction began at or below {@code ts}, else null; whoever asks
     * for all such locks must come again when it is written.
     */
    public TxnError.@Nullable Locked lockedIn(
            byte @Nullable [] lower, byte @Nullable [] upper, long ts) {
        raise(ts);
        if (held.isEmpty()) {
            return null;
        }
        for (Map.Entry<byte[], Held> entry : range(lower, upper).entrySet()) {
            LockRecord lock;
            synchronized (entry.getValue()) {
                lock = entry.getValue().lock;
            }
            if (lock != null && Ts.atMost(lock.startTs(), ts)) {
                return new TxnError.Locked(TxnKey.ofEncoded(entry.getKey()).raw(), lock);
            }
        }
        return null;
    }

    private ConcurrentNavigableMap<byte[], Held> range(
            byte @Nullable [] lower, byte @Nullable [] upper) {
        if (lower != null && upper != null && Arrays.compareUnsigned(lower, upper) >= 0) {
            return new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
        }
        ConcurrentNavigableMap<byte[], Held> range = held;
        range = lower == null ? range : range.tailMap(lower, true);
        return upper == null ? range : range.headMap(upper, false);
    }

    private void raiseForRead(long ts) {
        if (rules.readsRaiseMaxTs()) {
            raise(ts);
        }
    }

    private void check(byte[] key, @Nullable Held entry, ReadPolicy policy) {
        if (entry == null || !rules.readersSeeMemoryLocks()) {
            return;
        }
        LockRecord lock;
        boolean onePhase;
        synchronized (entry) {
            lock = entry.lock;
            onePhase = entry.onePhase;
        }
        if (lock == null) {
            return;
        }
        TxnKey user = TxnKey.ofEncoded(key);
        if (onePhase && policy.ts() == Ts.MAX && !policy.bypass().contains(lock.startTs())) {
            throw new TxnException(new TxnError.Locked(user.raw(), lock));
        }
        // What was read from such a lock could still fail to be written.
        new ReadPolicy(policy.ts(), policy.isolation(), policy.bypass(), Set.of())
                .readsThrough(user.raw(), lock);
    }
}
