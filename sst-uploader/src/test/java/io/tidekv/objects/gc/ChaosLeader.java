package io.tidekv.objects.gc;

import io.tidekv.objects.TestPacks;
import io.tidekv.objects.gc.ChaosRegion.Child;
import io.tidekv.objects.gc.ChaosRegion.LocalFile;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A process of a {@link ChaosCluster} that leads a region, or believes so. */
final class ChaosLeader {
    final ChaosRegion region;
    final long term;
    final Map<Long, LocalFile> files = new TreeMap<>();
    @Nullable ObjectRef current;
    @Nullable Waiting waiting;
    long nextFile = 1;
    long sequence;
    List<Lineage> lineage = List.of();
    @Nullable TabletRecord draft;
    @Nullable ObjectRef stored;
    @Nullable Child split;
    boolean splitStored;
    @Nullable Merge merge;
    boolean leaving;

    /** A compaction that somebody else does. */
    @Nullable ChaosJob job;

    ChaosLeader(ChaosRegion region, long term) {
        this.region = region;
        this.term = term;
    }

    boolean isChanging() {
        return stored != null
                || draft != null
                || waiting != null
                || split != null
                || merge != null
                || leaving;
    }

    boolean leads() {
        return term == region.term && !region.gone;
    }

    /** An object that several leaders put their uploads into. */
    static final class Pack {
        final TestPacks content;
        boolean sealed;
        boolean failed;

        Pack(String name) {
            content = new TestPacks(name);
        }
    }

    /** A publication that waits for the packs that it lies in. */
    record Waiting(List<Pack> packs, Map<Long, ObjectRef> files, ObjectRef record) {}

    /** What has to be done for a region to take its neighbour over. */
    static final class Merge {
        final ChaosLeader source;
        @Nullable ObjectRef stored;

        Merge(ChaosLeader source) {
            this.source = source;
        }
    }
}
