package io.tidekv.objects.restore;

import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;

/** Knows only what holds nothing. */
final class NoReplay implements StateMaker {
    @Override
    public Replay begin(ObjectRef ref, TabletRecord record, long term) {
        throw new AssertionError("there is no archive");
    }

    @Override
    public List<TabletRecord> settle(List<TabletRecord> regions, long upToTs) {
        return regions;
    }

    @Override
    public Replay beginEmpty(RegionShape shape, int apiMode, long term) {
        return new Replay() {
            @Override
            public void inherit(Entry entry) {
                throw new AssertionError("there is no archive");
            }

            @Override
            public void apply(Entry entry) {
                throw new AssertionError("there is no archive");
            }

            @Override
            public List<SplitChild> born() {
                return List.of();
            }

            @Override
            public TabletRecord finish() {
                return TabletRecord.newBuilder()
                        .setFormatVersion(1)
                        .setClusterId(7)
                        .setApiMode(apiMode)
                        .setShape(shape)
                        .setTerm(term)
                        .build();
            }

            @Override
            public void close() {}
        };
    }
}
