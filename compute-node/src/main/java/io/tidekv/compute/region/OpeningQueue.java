package io.tidekv.compute.region;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which regions of a loop open their tablets by themselves, and when: a few at a time, those with
 * the longest logs and those that were asked for first. What a request waits for opens without
 * asking here, and counts. Belongs to the loop.
 */
final class OpeningQueue {
    private record Place(RegionPeer peer, boolean asked, long entries) {}

    private static final Comparator<Place> LAST_FIRST =
            Comparator.comparing(Place::asked)
                    .thenComparingLong(Place::entries)
                    .thenComparingLong(place -> place.peer.id());

    private final RegionEnv env;
    private final int atOnce;
    private final Set<RegionPeer> early = new LinkedHashSet<>();
    private final Set<RegionPeer> opening = new LinkedHashSet<>();
    private final Map<RegionPeer, Place> places = new LinkedHashMap<>();
    private final TreeSet<Place> waiting = new TreeSet<>(LAST_FIRST);

    OpeningQueue(RegionEnv env) {
        this.env = env;
        this.atOnce = 2 * env.options().openers();
    }

    /**
     * A region begins here. True when it may open its tablet as soon as its log allows: the store
     * has few open, and few are being opened.
     */
    boolean enter(RegionPeer peer) {
        boolean room =
                early.size() < atOnce
                        && env.tabletsOpen().get() + early.size() < env.options().tabletsKept();
        return room && early.add(peer);
    }

    /** The region is to be opened in its turn; its log has so many entries. */
    void offer(RegionPeer peer, long entries) {
        place(new Place(peer, false, entries));
        next();
    }

    /** Somebody has asked for the region. */
    void prefer(RegionPeer peer) {
        Place place = places.get(peer);
        if (place != null) {
            place(new Place(peer, true, place.entries));
        }
    }

    private void place(Place place) {
        leave(place.peer);
        places.put(place.peer, place);
        waiting.add(place);
    }

    private void leave(RegionPeer peer) {
        Place place = places.remove(peer);
        if (place != null) {
            waiting.remove(place);
        }
    }

    /** The region opens its tablet now. */
    void begun(RegionPeer peer) {
        leave(peer);
        opening.add(peer);
    }

    /** The region is open, or gone. */
    void done(RegionPeer peer) {
        leave(peer);
        early.remove(peer);
        if (opening.remove(peer)) {
            next();
        }
    }

    private void next() {
        while (opening.size() < atOnce && !waiting.isEmpty()) {
            RegionPeer first = waiting.last().peer;
            begun(first);
            first.guard(first::open);
        }
    }
}
