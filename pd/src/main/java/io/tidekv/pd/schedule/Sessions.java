package io.tidekv.pd.schedule;

import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Store processes by store, and which of them are alive. Time is monotonic. When this PD itself has
 * stood still, or has just begun to lead, silence proves nothing: everybody gets time anew.
 */
final class Sessions {
    /** Ticks come every tenth of a second; a gap of this length is a pause of our own. */
    private static final long OWN_PAUSE_NANOS = 500_000_000L;

    private final TreeMap<Long, StoreSession> byStore = new TreeMap<>();
    private final long timeoutNanos;
    private long lastTickNanos;
    private long graceUntilNanos;
    private long nextGraceNanos;

    Sessions(long timeoutNanos, long nowNanos) {
        this.timeoutNanos = timeoutNanos;
        this.lastTickNanos = nowNanos;
        // Stores must first find the new leader.
        this.graceUntilNanos = nowNanos + 2 * timeoutNanos;
        this.nextGraceNanos = nowNanos;
    }

    /** To be called before anything else is decided at {@code nowNanos}. */
    void tick(long nowNanos) {
        long pause = nowNanos - lastTickNanos;
        // A machine that is always a little late must find dead stores too.
        boolean again = nowNanos - nextGraceNanos >= 0;
        if (pause >= timeoutNanos || (pause >= OWN_PAUSE_NANOS && again)) {
            byStore.values().forEach(s -> s.forgive(nowNanos));
            graceUntilNanos = Math.max(graceUntilNanos, nowNanos + timeoutNanos);
            nextGraceNanos = graceUntilNanos + timeoutNanos;
        }
        lastTickNanos = nowNanos;
    }

    Collection<StoreSession> all() {
        return byStore.values();
    }

    void put(StoreSession session) {
        byStore.put(session.owner.getStoreId(), session);
    }

    void remove(StoreSession session) {
        byStore.remove(session.owner.getStoreId(), session);
    }

    @Nullable StoreSession get(long storeId) {
        return byStore.get(storeId);
    }

    /** The session of exactly this process. */
    @Nullable StoreSession of(Owner owner) {
        StoreSession session = byStore.get(owner.getStoreId());
        return session != null && session.owner.equals(owner) ? session : null;
    }

    boolean alive(StoreSession session, long nowNanos) {
        return nowNanos - session.lastSeenNanos() < timeoutNanos;
    }

    /** True when silence of a process that has not reported at all would prove that it is gone. */
    boolean graceIsOver(long nowNanos) {
        return nowNanos >= graceUntilNanos;
    }

    /** Processes that can take regions. */
    List<StoreSession> takers(ClusterView view, long nowNanos) {
        List<StoreSession> takers = new ArrayList<>();
        for (StoreSession session : byStore.values()) {
            if (session.connected()
                    && session.complete()
                    && !session.leaving()
                    && alive(session, nowNanos)
                    && view.isCurrent(session.owner)
                    && !view.draining(session.owner.getStoreId())) {
                takers.add(session);
            }
        }
        return takers;
    }

    /** The session that owns the region, if that process has reported. */
    @Nullable StoreSession ownerOf(RegionEntry region) {
        return of(region.getOwner());
    }
}
