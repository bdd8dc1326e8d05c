package io.tidekv.objects.gc;

import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a region's log says, in a {@link ChaosCluster}. */
final class ChaosRegion {
    final long id;
    int start;
    int end;
    long term;
    boolean gone;
    @Nullable ObjectRef current;
    final List<Child> pending = new ArrayList<>();
    final List<Long> merged = new ArrayList<>();

    /** Proposed by a leader that was cut off before it heard whether it is committed. */
    @Nullable Proposal uncertain;

    ChaosRegion(long id, int start, int end) {
        this.id = id;
        this.start = start;
        this.end = end;
    }

    record Child(long id, int start, int end, @Nullable ObjectRef first, long term) {}

    record Proposal(
            @Nullable ObjectRef record, @Nullable Child child, @Nullable ObjectRef parent) {}

    /** A table file that a leader has; {@code object} is where it has been uploaded. */
    record LocalFile(long number, int from, int to, @Nullable ObjectRef object) {
        LocalFile at(ObjectRef place) {
            return new LocalFile(number, from, to, place);
        }
    }
}
