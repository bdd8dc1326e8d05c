package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.ByteReader;
import io.tidekv.common.codec.ByteWriter;
import io.tidekv.common.codec.CodecException;
import java.util.ArrayList;
import java.util.List;

/**
 * Lock records in TiKV's form: kind, primary, start and ttl, then parts that each begin with a
 * letter, in the order that TiKV writes them. Source: tikv {@code
 * components/txn_types/src/lock.rs}.
 */
public final class LockCodec {
    private static final int SHORT_VALUE = 'v';
    private static final int FOR_UPDATE_TS = 'f';
    private static final int TXN_SIZE = 't';
    private static final int MIN_COMMIT_TS = 'c';
    private static final int ASYNC_COMMIT = 'a';
    private static final int ROLLBACK_TS = 'r';
    private static final int LAST_CHANGE = 'l';
    private static final int TXN_SOURCE = 's';
    private static final int WITH_CONFLICT = 'F';
    private static final int GENERATION = 'g';

    private LockCodec() {}

    public static byte[] encode(LockRecord lock) {
        ByteString value = lock.shortValue();
        ByteWriter out =
                new ByteWriter(64 + lock.primary().size() + (value == null ? 0 : value.size()));
        out.u8(lock.kind().letter()).compactBytes(lock.primary().toByteArray());
        out.varU64(lock.startTs()).varU64(lock.ttlMs());
        if (value != null) {
            out.u8(SHORT_VALUE).u8(value.size()).bytes(value.toByteArray());
        }
        part(out, FOR_UPDATE_TS, lock.forUpdateTs());
        part(out, TXN_SIZE, lock.txnSize());
        part(out, MIN_COMMIT_TS, lock.minCommitTs());
        if (lock.useAsyncCommit()) {
            out.u8(ASYNC_COMMIT).varU64(lock.secondaries().size());
            lock.secondaries().forEach(key -> out.compactBytes(key.toByteArray()));
        }
        if (!lock.rollbackTs().isEmpty()) {
            out.u8(ROLLBACK_TS).varU64(lock.rollbackTs().size());
            lock.rollbackTs().forEach(out::u64);
        }
        if (lock.lastChange().isKnown()) {
            out.u8(LAST_CHANGE);
            lock.lastChange().write(out);
        }
        if (lock.txnSource() != 0) {
            out.u8(TXN_SOURCE).varU64(lock.txnSource());
        }
        if (lock.lockedWithConflict()) {
            out.u8(WITH_CONFLICT);
        }
        part(out, GENERATION, lock.generation());
        return out.toBytes();
    }

    public static LockRecord decode(byte[] bytes) {
        ByteReader in = new ByteReader(bytes);
        LockKind kind = LockKind.of(in.u8());
        ByteString primary = UnsafeByteOperations.unsafeWrap(in.compactBytes());
        LockRecord.Builder lock = LockRecord.builder(kind, primary, in.varU64());
        if (!in.isEmpty()) {
            lock.ttlMs(in.varU64());
        }
        while (!in.isEmpty()) {
            switch (in.u8()) {
                case SHORT_VALUE ->
                        lock.shortValue(UnsafeByteOperations.unsafeWrap(in.bytes(in.u8())));
                case FOR_UPDATE_TS -> lock.forUpdateTs(in.u64());
                case TXN_SIZE -> lock.txnSize(in.u64());
                case MIN_COMMIT_TS -> lock.minCommitTs(in.u64());
                case ASYNC_COMMIT -> lock.asyncCommit(secondaries(in));
                case ROLLBACK_TS -> lock.rollbackTs(timestamps(in));
                case LAST_CHANGE -> lock.lastChange(LastChange.read(in));
                case TXN_SOURCE -> lock.txnSource(in.varU64());
                case WITH_CONFLICT -> lock.lockedWithConflict(true);
                case GENERATION -> lock.generation(in.u64());
                default -> throw new CodecException("a lock record has an unknown part");
            }
        }
        return lock.build();
    }

    private static void part(ByteWriter out, int letter, long value) {
        if (value != 0) {
            out.u8(letter).u64(value);
        }
    }

    private static List<ByteString> secondaries(ByteReader in) {
        int count = in.count();
        List<ByteString> keys = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            keys.add(UnsafeByteOperations.unsafeWrap(in.compactBytes()));
        }
        return keys;
    }

    private static List<Long> timestamps(ByteReader in) {
        int count = in.count();
        List<Long> timestamps = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            timestamps.add(in.u64());
        }
        return timestamps;
    }
}
