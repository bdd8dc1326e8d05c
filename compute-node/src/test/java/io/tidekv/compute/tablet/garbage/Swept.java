package io.tidekv.compute.tablet.garbage;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;

/** A sweep over rows in memory, and what its deletions do to them. */
final class Swept {
    private Swept() {}

    /** The deletions of a whole pass, in batches of about so many bytes. */
    static List<Deletions> over(Sweep sweep, SortedMap<byte[], byte[]> rows, int batchBytes) {
        List<Deletions> batches = new ArrayList<>();
        Deletions batch = new Deletions();
        for (Map.Entry<byte[], byte[]> row : List.copyOf(rows.entrySet())) {
            sweep.row(row.getKey(), row.getValue(), batch);
            if (batch.sizeBytes() > batchBytes) {
                batches.add(batch);
                batch = new Deletions();
            }
        }
        sweep.finish(batch);
        batches.add(batch);
        return batches;
    }

    /** Applies them; each names a row that is there. */
    static void apply(Deletions batch, Function<Cf, Map<byte[], byte[]>> rows) {
        assertThat(batch.ifSame()).isEmpty();
        WriteBatchReader.read(
                batch.always().build(),
                new WriteBatchReader.Handler() {
                    @Override
                    public void put(Cf cf, byte[] key, byte[] value) {
                        throw new AssertionError("a sweep only deletes");
                    }

                    @Override
                    public void delete(Cf cf, byte[] key) {
                        assertThat(rows.apply(cf).remove(key)).isNotNull();
                    }

                    @Override
                    public void deleteRange(Cf cf, byte[] from, byte[] to) {
                        throw new AssertionError("a sweep deletes rows");
                    }
                });
    }
}
