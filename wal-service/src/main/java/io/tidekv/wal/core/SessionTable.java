package io.tidekv.wal.core;

import io.tidekv.proto.region.Owner;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of all owners. In memory only: a restart ends them all, and the wait after it
 * honours what they had promised.
 *
 * <p>Invariant: at most one session of an owner runs; ids are never used twice.
 */
final class SessionTable {
    private final VoterRules rules;
    private final Map<Long, Session> byId = new LinkedHashMap<>();
    private final Map<Owner, Session> byOwner = new HashMap<>();
    private long nextId;

    SessionTable(VoterRules rules, long firstId) {
        this.rules = rules;
        this.nextId = firstId;
    }

    /** The owner's running session, or a new one with the given lease. */
    Session of(Owner owner, long leaseMs, long nowNanos) {
        Session session = byOwner.get(owner);
        if (session != null && runs(session, nowNanos)) {
            return session;
        }
        if (session != null && !rules.mayRevive()) {
            byId.remove(session.id());
        }
        if (nextId == 0) {
            nextId++;
        }
        session = new Session(nextId++, owner, leaseMs, nowNanos + Leases.nanos(leaseMs));
        byId.put(session.id(), session);
        byOwner.put(owner, session);
        return session;
    }

    /** The session, if it has not lapsed. */
    @Nullable Session running(long id, long nowNanos) {
        Session session = byId.get(id);
        if (session == null) {
            return null;
        }
        return runs(session, nowNanos) || rules.mayRevive() ? session : null;
    }

    boolean runs(Session session, long nowNanos) {
        return rules.runs(session.untilNanos(), nowNanos);
    }

    void expire(long nowNanos) {
        if (rules.mayRevive()) {
            return;
        }
        byId.values()
                .removeIf(
                        session -> {
                            boolean dead = !runs(session, nowNanos);
                            if (dead) {
                                byOwner.remove(session.owner(), session);
                            }
                            return dead;
                        });
    }

    int size() {
        return byId.size();
    }
}
