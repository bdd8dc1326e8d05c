package io.tidekv.pd.routing;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.Keys;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.core.RegionTable;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.proto.pdpb.KeyRange;
import io.tidekv.proto.pdstate.RegionEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Looks up regions. Keys are as they are stored; an empty end has no bound. */
public final class Routing {
    private final StateLog log;
    private final LiveView live;

    public Routing(StateLog log, LiveView live) {
        this.log = log;
        this.live = live;
    }

    /** False until the first region exists. */
    public boolean bootstrapped() {
        return log.read(s -> !s.regions().isEmpty());
    }

    public @Nullable Located byKey(ByteString key) {
        return find(r -> r.containing(key));
    }

    /** The region before the one that holds {@code key}. */
    public @Nullable Located before(ByteString key) {
        return find(r -> r.previous(key));
    }

    public @Nullable Located byId(long id) {
        return find(r -> r.get(id));
    }

    public @Nullable Located startingAt(ByteString key) {
        return find(r -> r.startingAt(key));
    }

    /** Regions that overlap {@code [start, end)} in key order; {@code limit} 0 or less: all. */
    public List<Located> scan(ByteString start, ByteString end, int limit) {
        List<RegionEntry> found = log.read(s -> s.regions().scan(start, end, limit));
        return found.stream().map(this::located).toList();
    }

    /** All regions by id. */
    public List<Located> all() {
        List<RegionEntry> all = log.read(s -> List.copyOf(s.regions().all()));
        return all.stream().map(this::located).toList();
    }

    public int count() {
        return log.read(s -> s.regions().size());
    }

    /**
     * Regions of several ranges, each region once. The ranges must be in order and disjoint.
     *
     * @throws IllegalArgumentException saying what is wrong with the ranges
     */
    public List<Located> scan(List<KeyRange> ranges, int limit) {
        for (int i = 0; i < ranges.size(); i++) {
            KeyRange range = ranges.get(i);
            ByteString end = range.getEndKey();
            if (!end.isEmpty() && Keys.before(end, range.getStartKey())) {
                throw new IllegalArgumentException("invalid key range, start key > end key");
            }
            ByteString previous = i == 0 ? range.getStartKey() : ranges.get(i - 1).getEndKey();
            if (i > 0 && (previous.isEmpty() || Keys.before(range.getStartKey(), previous))) {
                throw new IllegalArgumentException("invalid key range, ranges overlapped");
            }
        }
        List<RegionEntry> found = log.read(s -> scan(s, ranges, limit));
        return found.stream().map(this::located).toList();
    }

    private static List<RegionEntry> scan(PdState state, List<KeyRange> ranges, int limit) {
        List<RegionEntry> found = new ArrayList<>();
        for (KeyRange range : ranges) {
            for (RegionEntry entry :
                    state.regions().scan(range.getStartKey(), range.getEndKey(), limit)) {
                boolean known = !found.isEmpty() && found.get(found.size() - 1).equals(entry);
                if (!known && (limit <= 0 || found.size() < limit)) {
                    found.add(entry);
                }
            }
        }
        return found;
    }

    private @Nullable Located find(Function<RegionTable, @Nullable RegionEntry> lookup) {
        RegionEntry entry = log.read(s -> lookup.apply(s.regions()));
        return entry == null ? null : located(entry);
    }

    private Located located(RegionEntry entry) {
        return new Located(entry, live.report(entry), live.leading(entry));
    }
}
