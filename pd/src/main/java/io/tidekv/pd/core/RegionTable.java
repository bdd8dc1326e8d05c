package io.tidekv.pd.core;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Regions by id and by start key. From the first region on, their ranges cover the key space and do
 * not overlap.
 */
public final class RegionTable {
    private static final int CHANGES_MAX = 4_096;

    private final TreeMap<Long, RegionEntry> byId = new TreeMap<>();
    private final TreeMap<ByteString, Long> byStart = new TreeMap<>(Keys.ORDER);

    /** Ids of the regions that were changed last; the newest is number {@link #change}. */
    private final ArrayDeque<Long> changes = new ArrayDeque<>();

    private long change;

    RegionTable(List<RegionEntry> entries) {
        for (RegionEntry entry : entries) {
            byId.put(entry.getShape().getRegionId(), entry);
            byStart.put(entry.getShape().getStartKey(), entry.getShape().getRegionId());
        }
    }

    public boolean isEmpty() {
        return byId.isEmpty();
    }

    public int size() {
        return byId.size();
    }

    public @Nullable RegionEntry get(long id) {
        return byId.get(id);
    }

    /** By id. */
    public Collection<RegionEntry> all() {
        return Collections.unmodifiableCollection(byId.values());
    }

    /** Grows by one with each change of one region. */
    public long change() {
        return change;
    }

    /**
     * The regions that have been changed after change number {@code since}, each as it is now; null
     * when that was too long ago to tell.
     */
    public @Nullable List<RegionEntry> changedSince(long since) {
        if (since > change || change - since > changes.size()) {
            return null;
        }
        Set<Long> ids = new LinkedHashSet<>();
        Iterator<Long> newest = changes.descendingIterator();
        for (long i = change; i > since; i--) {
            ids.add(newest.next());
        }
        List<RegionEntry> changed = new ArrayList<>();
        ids.forEach(id -> changed.add(Invariants.present(byId.get(id), "changed region")));
        return changed;
    }

    /** The region whose range contains {@code key}. */
    public @Nullable RegionEntry containing(ByteString key) {
        return entry(byStart.floorEntry(key));
    }

    /** The region before the one that contains {@code key}. */
    public @Nullable RegionEntry previous(ByteString key) {
        RegionEntry holder = containing(key);
        return holder == null ? null : entry(byStart.lowerEntry(holder.getShape().getStartKey()));
    }

    /** The region that begins exactly at {@code key}. */
    public @Nullable RegionEntry startingAt(ByteString key) {
        Long id = byStart.get(key);
        return id == null ? null : byId.get(id);
    }

    /**
     * Regions in key order from the one that contains {@code start} up to, and without, those that
     * begin at or after {@code end}; at most {@code limit} of them unless that is 0 or less.
     */
    public List<RegionEntry> scan(ByteString start, ByteString end, int limit) {
        List<RegionEntry> found = new ArrayList<>();
        if (!end.isEmpty() && !Keys.before(start, end)) {
            return found;
        }
        ByteString first = byStart.floorKey(start);
        for (long id : byStart.tailMap(first == null ? start : first, true).values()) {
            RegionEntry entry = Invariants.present(byId.get(id), "region of the key index");
            boolean beyond = !end.isEmpty() && !Keys.before(entry.getShape().getStartKey(), end);
            if (beyond || (limit > 0 && found.size() == limit)) {
                break;
            }
            found.add(entry);
        }
        return found;
    }

    /** The very first regions, which cover the whole key space. */
    void begin(List<RegionEntry> first) {
        Invariants.check(byId.isEmpty(), "the cluster has regions already");
        first.forEach(this::put);
        checkInvariants();
    }

    /** Changes everything but the range. */
    void update(RegionEntry entry) {
        RegionShape shape = entry.getShape();
        RegionEntry old = Invariants.present(byId.get(shape.getRegionId()), "region to update");
        checkSuccession(old, entry);
        Invariants.check(
                old.getShape().getStartKey().equals(shape.getStartKey())
                        && old.getShape().getEndKey().equals(shape.getEndKey()),
                "the range of region %d changes only by a split",
                shape.getRegionId());
        byId.put(shape.getRegionId(), entry);
        changed(shape.getRegionId());
    }

    /** Puts {@code rest} and {@code children} in the place of one region's range. */
    void carve(RegionEntry rest, List<RegionEntry> children) {
        long id = rest.getShape().getRegionId();
        RegionEntry old = Invariants.present(byId.get(id), "region to split");
        checkSuccession(old, rest);
        checkTiles(old, rest, children);
        byStart.remove(old.getShape().getStartKey());
        byId.remove(id);
        put(rest);
        for (RegionEntry child : children) {
            Invariants.check(
                    !byId.containsKey(child.getShape().getRegionId()),
                    "region %d exists",
                    child.getShape().getRegionId());
            put(child);
        }
    }

    /** Gives a region the range of its neighbour, which is forgotten. */
    void absorb(RegionEntry merged, long goneId) {
        long id = merged.getShape().getRegionId();
        RegionEntry old = Invariants.present(byId.get(id), "region that is merged into");
        RegionEntry gone = Invariants.present(byId.get(goneId), "region that is merged");
        checkSuccession(old, merged);
        byStart.remove(old.getShape().getStartKey());
        byStart.remove(gone.getShape().getStartKey());
        byId.remove(goneId);
        put(merged);
        // Nobody can be told of a region that is not there: all is to be read anew.
        changes.clear();
    }

    void checkInvariants() {
        Invariants.check(byId.size() == byStart.size(), "two regions begin at one key");
        ByteString expected = ByteString.EMPTY;
        boolean ended = byId.isEmpty();
        for (Map.Entry<ByteString, Long> item : byStart.entrySet()) {
            Invariants.check(!ended, "a region follows the last one");
            RegionShape shape = Invariants.present(byId.get(item.getValue()), "region").getShape();
            Invariants.check(item.getKey().equals(expected), "hole or overlap before %s", shape);
            expected = shape.getEndKey();
            ended = expected.isEmpty();
        }
        Invariants.check(ended, "the last region has an end");
    }

    private void put(RegionEntry entry) {
        byId.put(entry.getShape().getRegionId(), entry);
        byStart.put(entry.getShape().getStartKey(), entry.getShape().getRegionId());
        changed(entry.getShape().getRegionId());
    }

    private void changed(long id) {
        change++;
        changes.addLast(id);
        if (changes.size() > CHANGES_MAX) {
            changes.removeFirst();
        }
    }

    private @Nullable RegionEntry entry(Map.@Nullable Entry<ByteString, Long> item) {
        return item == null ? null : byId.get(item.getValue());
    }

    private static void checkSuccession(RegionEntry old, RegionEntry entry) {
        RegionShape was = old.getShape();
        RegionShape is = entry.getShape();
        Invariants.check(
                entry.getTerm() > old.getTerm()
                        || (entry.getTerm() == old.getTerm()
                                && entry.getOwner().equals(old.getOwner())),
                "region %d: one owner per term",
                is.getRegionId());
        Invariants.check(
                is.getVersion() >= was.getVersion() && is.getConfVer() >= was.getConfVer(),
                "region %d: the epoch never goes back",
                is.getRegionId());
        Invariants.check(
                entry.getConfig().getGeneration() >= old.getConfig().getGeneration(),
                "region %d: the voters' generation never goes back",
                is.getRegionId());
    }

    private static void checkTiles(RegionEntry old, RegionEntry rest, List<RegionEntry> children) {
        TreeMap<ByteString, RegionShape> tiles = new TreeMap<>(Keys.ORDER);
        tiles.put(rest.getShape().getStartKey(), rest.getShape());
        children.forEach(c -> tiles.put(c.getShape().getStartKey(), c.getShape()));
        Invariants.check(tiles.size() == children.size() + 1, "children begin at one key");
        ByteString expected = old.getShape().getStartKey();
        for (RegionShape tile : tiles.values()) {
            Invariants.check(tile.getStartKey().equals(expected), "a split leaves a hole");
            expected = tile.getEndKey();
        }
        Invariants.check(expected.equals(old.getShape().getEndKey()), "a split moves the end");
    }
}
