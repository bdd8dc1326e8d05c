package io.tidekv.compute.tablet;

import io.tidekv.proto.manifest.SstFile;
import java.util.List;
import java.util.Set;

/**
 * What has come of a {@link LentCompaction}.
 *
 * @param removed local numbers of the files that the outputs are in place of: the inputs, and what
 *     had to be compacted with them
 * @param outputs uploaded files, with numbers that mean nothing outside the clone
 */
public record Compacted(Set<Long> removed, List<SstFile> outputs) {
    public Compacted {
        removed = Set.copyOf(removed);
        outputs = List.copyOf(outputs);
    }
}
