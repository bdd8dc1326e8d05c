package io.tidekv.compute.mvcc;

import io.tidekv.common.Invariants;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import org.jspecify.annotations.Nullable;

/** Walks commit records: keys ascend, the versions of a key go from new to old. */
final class WriteCursor implements AutoCloseable {
    private final KvIterator iterator;
    private byte @Nullable [] key;

    WriteCursor(KvSnapshot snapshot, byte @Nullable [] lower, byte @Nullable [] upper) {
        iterator = snapshot.iterator(Cf.WRITE, lower, upper);
    }

    void seek(byte[] target) {
        iterator.seek(target);
        settle();
    }

    void seekForPrev(byte[] target) {
        iterator.seekForPrev(target);
        settle();
    }

    void seekToFirst() {
        iterator.seekToFirst();
        settle();
    }

    void seekToLast() {
        iterator.seekToLast();
        settle();
    }

    void next() {
        iterator.next();
        settle();
    }

    void prev() {
        iterator.prev();
        settle();
    }

    boolean isValid() {
        return key != null;
    }

    /** The stored key; only when valid. */
    byte[] key() {
        return Invariants.present(key, "position");
    }

    boolean isOn(TxnKey userKey) {
        return key != null && userKey.owns(key);
    }

    TxnKey userKey() {
        return TxnKey.ofVersioned(key());
    }

    long commitTs() {
        return Ints.lastDesc(key());
    }

    WriteRecord write() {
        return WriteCodec.decode(iterator.value());
    }

    Version version() {
        return new Version(commitTs(), write());
    }

    private void settle() {
        key = iterator.isValid() ? iterator.key() : null;
    }

    @Override
    public void close() {
        iterator.close();
    }
}
