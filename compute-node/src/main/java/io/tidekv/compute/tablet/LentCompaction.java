package io.tidekv.compute.tablet;

import java.util.List;

/**
 * A compaction that is due in a tablet and that somebody else may do in a clone of it.
 *
 * @param base the record that names the inputs
 * @param family id of their column family
 * @param inputs local numbers of files
 * @param outputLevel where the results belong
 * @param bytes size of the inputs
 * @param tableBytes size of each result, about
 */
public record LentCompaction(
        PreparedRecord base,
        int family,
        List<Long> inputs,
        int outputLevel,
        long bytes,
        long tableBytes) {
    public LentCompaction {
        inputs = List.copyOf(inputs);
    }
}
