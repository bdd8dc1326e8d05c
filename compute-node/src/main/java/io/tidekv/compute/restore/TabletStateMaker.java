package io.tidekv.compute.restore;

import io.tidekv.compute.region.LogReplay;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.objects.restore.StateMaker;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;

/** Makes states with tablets. */
public final class TabletStateMaker implements StateMaker {
    private final TabletStore tablets;
    private final Runnable pause;

    /**
     * @param pause waits a moment
     */
    public TabletStateMaker(TabletStore tablets, Runnable pause) {
        this.tablets = tablets;
        this.pause = pause;
    }

    @Override
    public Replay begin(ObjectRef ref, TabletRecord record, long term) {
        return new TabletReplay(
                tablets, LogReplay.open(tablets, new PreparedRecord(ref, record), pause), term);
    }

    @Override
    public Replay beginEmpty(RegionShape shape, int apiMode, long term) {
        return new TabletReplay(tablets, LogReplay.empty(tablets, shape, pause), term);
    }

    @Override
    public List<TabletRecord> settle(List<TabletRecord> regions, long upToTs) {
        return new Settlement(tablets, pause, regions, upToTs).run();
    }

    private record TabletReplay(TabletStore tablets, LogReplay replay, long term)
            implements Replay {
        @Override
        public void inherit(Entry entry) {
            replay.inherit(entry);
        }

        @Override
        public void apply(Entry entry) {
            replay.apply(entry);
        }

        @Override
        public List<SplitChild> born() {
            return replay.born();
        }

        @Override
        public TabletRecord finish() {
            return tablets.publisher().draft(replay.tablet(), new PublishRequest(term, null));
        }

        @Override
        public void close() {
            replay.close();
        }
    }
}
