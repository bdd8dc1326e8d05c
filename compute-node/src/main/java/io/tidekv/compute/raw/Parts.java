package io.tidekv.compute.raw;

import io.tidekv.compute.engine.WriteBatchBuilder;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** Many operations as batches of bounded size, each made when it is asked for. */
abstract class Parts implements Iterator<WriteBatchBuilder> {
    private final int count;
    private final int bytesMax;
    private int next;

    Parts(int count, int bytesMax) {
        this.count = count;
        this.bytesMax = bytesMax;
    }

    /** What an operation takes in a batch, at most. */
    abstract int bytes(int i);

    abstract void add(WriteBatchBuilder batch, int i);

    @Override
    public final boolean hasNext() {
        return next < count;
    }

    @Override
    public final WriteBatchBuilder next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        int end = next;
        long bytes = 0;
        while (end < count && (end == next || bytes + bytes(end) <= bytesMax)) {
            bytes += bytes(end);
            end++;
        }
        WriteBatchBuilder batch = new WriteBatchBuilder((int) Math.min(bytes, bytesMax) + 64);
        while (next < end) {
            add(batch, next);
            next++;
        }
        return batch;
    }
}
