package io.tidekv.wal.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.OpenResponse;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.ReadResponse;
import io.tidekv.proto.wal.ReleaseRequest;
import io.tidekv.proto.wal.ReleaseResponse;
import io.tidekv.proto.wal.RetireRequest;
import io.tidekv.proto.wal.RetireResponse;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.VoterStorage.Recovered;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The voter of one region: its durable meta, the terms of its entries, and the lease it has
 * promised. The records are appended to the storage before the fields change.
 *
 * <p>Invariants: {@code pendingTerm == 0 || pendingTerm > term}; {@code snapshot.index <= commit <=
 * last}; no entry has a term above {@code term}; commit, snapshot and term never go back; every
 * config that {@code meta} lists after the snapshot is an entry of the log. A retired voter has no
 * entries and takes part in nothing.
 */
final class Voter {
    /** What one Read returns at most, unless a single entry is longer. */
    private static final long READ_BYTES_MAX = 8L << 20;

    private final long regionId;
    private final VoterStorage storage;
    private final VoterRules rules;
    private final SessionTable sessions;
    private final TermLog log;
    private final RegionLease lease;
    private VoterMeta meta;
    private long commitIndex;

    private Voter(
            long regionId,
            VoterStorage storage,
            VoterRules rules,
            SessionTable sessions,
            VoterMeta meta,
            TermLog log,
            long leaseUntilNanos) {
        this.regionId = regionId;
        this.storage = storage;
        this.rules = rules;
        this.sessions = sessions;
        this.meta = meta;
        this.log = log;
        this.lease = new RegionLease(rules, regionId, leaseUntilNanos);
        this.commitIndex = meta.getSnapshot().getIndex();
    }

    /** A voter that a Create has just made durable. */
    static Voter created(
            long regionId,
            VoterStorage storage,
            VoterRules rules,
            SessionTable sessions,
            VoterMeta meta,
            long nowNanos) {
        Snapshot snapshot = meta.getSnapshot();
        TermLog log = new TermLog(snapshot.getIndex(), snapshot.getTerm());
        return new Voter(regionId, storage, rules, sessions, meta, log, nowNanos);
    }

    /** A voter after a restart: whatever it had promised runs for the longest lease from now. */
    static Voter recovered(
            Recovered from,
            VoterStorage storage,
            VoterRules rules,
            SessionTable sessions,
            long nowNanos) {
        VoterMeta meta = from.meta();
        Snapshot snapshot = meta.getSnapshot();
        TermLog log =
                TermLog.recovered(
                        snapshot.getIndex(), snapshot.getTerm(), from.runs(), from.lastIndex());
        Invariants.check(
                log.lastTerm() <= meta.getTerm() || log.lastIndex() == log.baseIndex(),
                "region %s holds an entry of a term that it never saw",
                from.regionId());
        long waitMs =
                meta.getTerm() > 0 && !meta.getReleased()
                        ? rules.restartWaitMs(meta.getLongestLeaseMs())
                        : 0;
        return new Voter(
                from.regionId(),
                storage,
                rules,
                sessions,
                Configs.inLog(meta, log),
                log,
                nowNanos + Leases.nanos(waitMs));
    }

    VoterMeta meta() {
        return meta;
    }

    TermLog log() {
        return log;
    }

    long commitIndex() {
        return commitIndex;
    }

    boolean retired() {
        return meta.getRetiredGeneration() > 0;
    }

    WalResponse.Builder open(OpenRequest request, long nowNanos) {
        WalResponse.Builder refusal = admit(request.getTerm(), request.getOwner(), nowNanos);
        if (refusal != null) {
            return refusal;
        }
        take(request.getTerm(), request.getOwner(), request.getLeaseMs(), nowNanos);
        long session = extend(request.getOwner(), request.getLeaseMs(), nowNanos);
        return WalResponse.newBuilder()
                .setOpen(
                        OpenResponse.newBuilder()
                                .setSnapshot(
                                        meta.getSnapshot().toBuilder().setConfig(meta.getConfig()))
                                .setLastIndex(log.lastIndex())
                                .setLastTerm(log.lastTerm())
                                .setConfig(Configs.newest(meta))
                                .addAllLoggedConfigs(meta.getLoggedConfigsList())
                                .setOrigin(meta.getOrigin())
                                .setLearner(meta.getLearner())
                                .setSession(session)
                                .setCommitIndex(commitIndex));
    }

    /** Whether this owner may take this term now; null when it may. Remembers who has to wait. */
    WalResponse.@Nullable Builder admit(long term, Owner owner, long nowNanos) {
        long seen = Math.max(meta.getTerm(), meta.getPendingTerm());
        if (term < seen) {
            return Replies.staleTerm(seen, "a higher term has been seen");
        }
        if (term == meta.getTerm()) {
            boolean same = owner.equals(meta.getOwner());
            boolean retransmit = rules.isRetransmit(same, log.lastTerm() == term);
            if (retransmit && !meta.getReleased()) {
                return null;
            }
            return same
                    ? Replies.staleTerm(term, "the term was used before")
                    : Replies.notOwner(term, "the term is another owner's");
        }
        boolean others = meta.getTerm() > 0 && !owner.equals(meta.getOwner());
        if (others && !meta.getReleased() && lease.runs(nowNanos)) {
            if (term > meta.getPendingTerm()) {
                write(meta.toBuilder().setPendingTerm(term).build());
            }
            lease.freeze(term);
            return Replies.leaseHeld(lease.untilNanos() - nowNanos);
        }
        return null;
    }

    /** Makes the owner the voter's, durably. It has been admitted. */
    void take(long term, Owner owner, long leaseMs, long nowNanos) {
        Invariants.check(term >= meta.getTerm(), "term %s after %s", term, meta.getTerm());
        boolean another = !owner.equals(meta.getOwner());
        VoterMeta taken =
                meta.toBuilder()
                        .setTerm(term)
                        .setOwner(owner)
                        .setPendingTerm(0)
                        .setReleased(false)
                        .setLongestLeaseMs(longest(owner, leaseMs, nowNanos))
                        .build();
        if (!taken.equals(meta)) {
            write(taken);
        }
        if (another) {
            lease.end(nowNanos);
        }
    }

    private long longest(Owner owner, long leaseMs, long nowNanos) {
        if (leaseMs == 0) {
            return meta.getLongestLeaseMs();
        }
        long shared = sessions.of(owner, leaseMs, nowNanos).leaseMs();
        return Math.max(meta.getLongestLeaseMs(), Math.max(leaseMs, shared));
    }

    /**
     * Promises a lease to the voter's owner, durably as to its length, and lets the region join the
     * owner's session. Returns the session, or 0 when no lease is given.
     */
    long extend(Owner owner, long leaseMs, long nowNanos) {
        Invariants.check(owner.equals(meta.getOwner()), "a lease for a stranger");
        boolean waiting = meta.getPendingTerm() > 0 && rules.pendingStopsLease();
        if (leaseMs == 0 || waiting || meta.getReleased()) {
            return 0;
        }
        long longest = longest(owner, leaseMs, nowNanos);
        if (longest > meta.getLongestLeaseMs()) {
            write(meta.toBuilder().setLongestLeaseMs(longest).build());
        }
        Session session = sessions.of(owner, leaseMs, nowNanos);
        lease.grant(session, nowNanos + Leases.nanos(leaseMs));
        return session.id();
    }

    WalResponse.Builder read(ReadRequest request) {
        if (request.getTerm() != 0 && request.getTerm() != meta.getTerm()) {
            return Replies.staleTerm(meta.getTerm(), "the voter has another term");
        }
        ReadResponse.Builder response = ReadResponse.newBuilder();
        long from = request.getFromIndex();
        if (from <= log.baseIndex()) {
            response.setSnapshot(meta.getSnapshot());
            from = log.baseIndex() + 1;
        }
        long to = request.getToIndex() == 0 ? log.lastIndex() : request.getToIndex();
        to = Math.min(to, log.lastIndex());
        if (from <= to) {
            response.addAllEntries(storage.read(regionId, from, to, bytesOf(request)));
        }
        return WalResponse.newBuilder().setRead(response);
    }

    private static long bytesOf(ReadRequest request) {
        return Math.min(READ_BYTES_MAX, Math.max(1, request.getBytesMax()));
    }

    WalResponse.Builder release(ReleaseRequest request, long nowNanos) {
        long term = request.getTerm();
        if (term < meta.getTerm()) {
            return Replies.staleTerm(meta.getTerm(), "a higher term has been seen");
        }
        if (term > meta.getTerm()) {
            return Replies.invalid("the term was never opened here");
        }
        if (!request.getOwner().equals(meta.getOwner())) {
            return Replies.notOwner(term, "the term is another owner's");
        }
        if (!meta.getReleased()) {
            write(meta.toBuilder().setReleased(true).build());
            lease.end(nowNanos);
        }
        return WalResponse.newBuilder().setRelease(ReleaseResponse.getDefaultInstance());
    }

    /** Learns that entries up to {@code index} are committed; the voter has them. */
    void commitTo(long index) {
        Invariants.check(index <= log.lastIndex(), "commit %s past %s", index, log.lastIndex());
        commitIndex = Math.max(commitIndex, index);
    }

    /** Moves the snapshot forward to an entry that is known to be committed. */
    void trimTo(Snapshot snapshot) {
        long index = snapshot.getIndex();
        Invariants.check(index <= commitIndex, "snapshot %s past commit %s", index, commitIndex);
        Invariants.check(
                log.termAt(index) == snapshot.getTerm(), "snapshot %s has another term", index);
        write(Configs.movedTo(meta, index).toBuilder().setSnapshot(snapshot).build());
        log.trimTo(index);
    }

    /** Drops the log, which lies behind or beside the snapshot, and goes on after it. */
    void resetTo(Snapshot snapshot) {
        long index = snapshot.getIndex();
        Invariants.check(index > commitIndex, "a reset to %s of commit %s", index, commitIndex);
        VoterMeta.Builder reset = meta.toBuilder().setSnapshot(snapshot).clearLoggedConfigs();
        replaceLog(snapshot.hasConfig() ? reset.setConfig(snapshot.getConfig()) : reset);
        commitIndex = index;
    }

    private void replaceLog(VoterMeta.Builder changed) {
        VoterMeta reset = changed.build();
        storage.reset(regionId, reset);
        meta = reset;
        log.reset(reset.getSnapshot().getIndex(), reset.getSnapshot().getTerm());
    }

    /** Writes down the configs that entries are about to bring, before the entries themselves. */
    void announce(List<Entry> entries) {
        VoterMeta more = Configs.adding(meta, entries);
        if (more.getLoggedConfigsCount() > meta.getLoggedConfigsCount()) {
            // Not in memory yet: nothing is in force that is not in the log.
            storage.putMeta(regionId, more);
        }
    }

    /** The log has changed: takes the configs that it has now. */
    void settleConfigs(List<Entry> appended) {
        meta = Configs.inLog(Configs.adding(meta, appended), log);
    }

    /** A leader that has committed an entry of its own says that nothing is missing here. */
    void promote() {
        if (meta.getLearner()) {
            write(meta.toBuilder().setLearner(false).build());
        }
    }

    /** Leaves the region; what is left keeps the node from being taken for one that knows it. */
    WalResponse.Builder retire(RetireRequest request, long nowNanos) {
        if (!retired()) {
            WalResponse.Builder refusal = mayRetire(request, nowNanos);
            if (refusal != null) {
                return refusal;
            }
            lease.end(nowNanos);
            replaceLog(
                    meta.toBuilder()
                            .clearLoggedConfigs()
                            .setLearner(false)
                            .setRetiredGeneration(request.getGeneration()));
        }
        return WalResponse.newBuilder().setRetire(RetireResponse.getDefaultInstance());
    }

    /**
     * A leader makes the voter a learner that it has already been: what it ordered before is late.
     */
    void createdAgain(CreateRequest request) {
        if (request.getLearner()
                && !rules.isLate(
                        request.getTerm(),
                        request.getOrder(),
                        meta.getCreatedTerm(),
                        meta.getCreatedOrder())) {
            write(Configs.createdBy(meta, request));
        }
    }

    private WalResponse.@Nullable Builder mayRetire(RetireRequest request, long nowNanos) {
        if (request.getTerm() > meta.getTerm()) {
            WalResponse.Builder refusal = admit(request.getTerm(), request.getOwner(), nowNanos);
            if (refusal == null) {
                take(request.getTerm(), request.getOwner(), 0, nowNanos);
            }
            return refusal;
        }
        if (request.getTerm() < meta.getTerm()) {
            return Replies.staleTerm(meta.getTerm(), "a higher term has been seen");
        }
        if (!request.getOwner().equals(meta.getOwner())) {
            return Replies.notOwner(meta.getTerm(), "the term is another owner's");
        }
        boolean late =
                rules.isLate(
                        request.getTerm(),
                        request.getOrder(),
                        meta.getCreatedTerm(),
                        meta.getCreatedOrder());
        return late || Configs.isOutdated(meta, request.getGeneration())
                ? Replies.invalid("the node has been added again since")
                : null;
    }

    private void write(VoterMeta changed) {
        storage.putMeta(regionId, changed);
        meta = changed;
    }

    Committed committed() {
        Snapshot snapshot = meta.getSnapshot();
        boolean inLog = commitIndex > log.baseIndex() && commitIndex <= log.lastIndex();
        return inLog
                ? new Committed(regionId, meta.getOrigin(), commitIndex, log.termAt(commitIndex))
                : new Committed(
                        regionId, meta.getOrigin(), snapshot.getIndex(), snapshot.getTerm());
    }

    VoterView view() {
        return new VoterView(
                regionId,
                meta.getTerm(),
                meta.getOwner(),
                meta.getPendingTerm(),
                meta.getReleased(),
                Configs.newest(meta),
                meta.getLearner(),
                meta.getSnapshot(),
                log.lastIndex(),
                log.lastTerm(),
                commitIndex,
                lease.untilNanos());
    }
}
