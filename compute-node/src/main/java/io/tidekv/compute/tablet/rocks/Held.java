package io.tidekv.compute.tablet.rocks;

import java.util.ArrayList;
import java.util.List;

/** Granules that a read has brought here stay until it is done. One read, one thread. */
final class Held implements AutoCloseable {
    private final List<SparseTable> tables = new ArrayList<>();

    void add(SparseTable table) {
        table.use();
        tables.add(table);
    }

    @Override
    public void close() {
        tables.forEach(SparseTable::release);
        tables.clear();
    }
}
