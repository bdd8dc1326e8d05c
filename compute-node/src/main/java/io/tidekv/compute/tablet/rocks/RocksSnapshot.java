package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WouldBlock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;

/** A RocksDB snapshot seen through a region's range. */
final class RocksSnapshot implements KvSnapshot {
    private final ReadView view;
    private final LocalFiles files;
    private final KeyRange range;
    private final ReadOptions reads;
    private boolean waits = true;
    private boolean closed;

    /**
     * @param instance with a use that passes to this snapshot
     */
    RocksSnapshot(Instance instance, LocalFiles files, KeyRange range) {
        this.view = new ReadView(instance, files);
        this.files = files;
        this.range = range;
        this.reads = new ReadOptions().setSnapshot(view.snapshot());
    }

    @Override
    public byte @Nullable [] get(Cf cf, byte[] key) {
        checkOpen();
        if (!range.contains(key)) {
            return null;
        }
        for (int attempt = 0; ; attempt++) {
            try {
                byte[] value = readOnce(cf, key);
                files.noteGet(cf.id(), key);
                return value;
            } catch (RocksDBException e) {
                if (!waits) {
                    throw new WouldBlock();
                }
                files.recover(e, attempt);
            }
        }
    }

    private byte @Nullable [] readOnce(Cf cf, byte[] key) throws RocksDBException {
        if (view.isSteady() || files.complete()) {
            return read(cf, key);
        }
        try (Held held = files.ensureCovering(cf.id(), key, waits)) {
            return read(cf, key);
        }
    }

    private byte @Nullable [] read(Cf cf, byte[] key) throws RocksDBException {
        Instance instance = view.instance();
        return instance.db().get(instance.family(cf.id()), reads, key);
    }

    @Override
    public KvIterator iterator(Cf cf, byte @Nullable [] lower, byte @Nullable [] upper) {
        checkOpen();
        view.hold();
        return new RocksKvIterator(view, files, cf.id(), range.clip(lower, upper), waits);
    }

    @Override
    public boolean mayBlock() {
        return !view.isSteady();
    }

    @Override
    public void waits(boolean on) {
        waits = on;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            reads.close();
            view.release();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("a closed snapshot is read");
        }
    }
}
