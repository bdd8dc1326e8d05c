package io.tidekv.compute.region.core;

import io.tidekv.common.Invariants;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * What all states of a leader share: the voters, the log and how far it is committed.
 *
 * <p>Invariants: {@code snapshot.index <= commitIndex <= window.lastIndex}, once a log is adopted;
 * {@code window.baseIndex <= commitIndex} or all entries up to it are at the voters only;
 * everything from {@code noopIndex} on has this leader's term.
 */
final class Leadership {
    final LeaderOptions options;
    final LeaderRules rules;
    final long term;
    final Requests requests;
    final Voters voters;
    final Sessions sessions;
    final Replicator replicator;
    final CommittedFeed feed;
    final Parts parts;
    final VoterChanges changes;
    private @Nullable Origin origin;
    private ConfigLog configs;
    private EntryWindow window = new EntryWindow(0, 0);
    private Snapshot snapshot = Snapshot.getDefaultInstance();
    private long commitIndex;
    private long noopIndex;

    Leadership(
            LeaderOptions options,
            LeaderRules rules,
            long regionId,
            long term,
            Owner owner,
            VoterConfig config,
            @Nullable Origin origin,
            Sessions sessions,
            LeaderOutbox outbox) {
        this.options = options;
        this.rules = rules;
        this.term = term;
        this.requests = new Requests(regionId, term, owner, outbox);
        this.voters = new Voters(config);
        this.configs = new ConfigLog(0, config);
        this.origin = origin;
        this.sessions = sessions;
        this.replicator = new Replicator(this);
        this.feed = new CommittedFeed(this);
        this.parts = new Parts(this);
        this.changes = new VoterChanges(this);
    }

    long leaseNanos() {
        return options.leaseMs() * 1_000_000L;
    }

    ConfigLog configs() {
        return configs;
    }

    /** Whether the config in force is committed; the one before may still be in force elsewhere. */
    boolean configCommitted() {
        return configs.newestIndex() <= commitIndex;
    }

    EntryWindow window() {
        return window;
    }

    Snapshot snapshot() {
        return snapshot;
    }

    long commitIndex() {
        return commitIndex;
    }

    /** 0 before a log is adopted. */
    long noopIndex() {
        return noopIndex;
    }

    boolean committedAll() {
        return commitIndex == window.lastIndex();
    }

    boolean ownTermCommitted() {
        return noopIndex > 0 && commitIndex >= noopIndex;
    }

    @Nullable Origin origin() {
        return origin;
    }

    void originSeen(Origin seen) {
        if (origin == null && seen.getKindCase() != Origin.KindCase.KIND_NOT_SET) {
            origin = seen;
        }
    }

    void open(VoterProgress voter, Clock.Reading now) {
        requests.open(voter, options.leaseMs(), now);
    }

    /**
     * The voter has never heard of the region: tells it, if we know how the region came to be. One
     * that is to become a voter begins as a learner.
     */
    void create(VoterProgress voter, Clock.Reading now) {
        Origin known = origin;
        if (known == null || !voters.replicas().contains(voter)) {
            voter.stall(now.monotonicNanos(), options.retryMs());
            return;
        }
        // Never one that is not committed: nothing would take it back from there.
        requests.create(
                voter, configs.at(snapshot.getIndex()), known, !voters.isMember(voter), now);
        open(voter, now);
    }

    /**
     * Makes {@code log}, the newest of a majority of its own config, this leader's own, and appends
     * the no-op of the term. Nothing that a majority ever acknowledged can be missing from it.
     */
    void adoptLog(Answer log, Collection<Answer> answers) {
        Invariants.check(
                log.lastTerm() < term, "a voter has term %s before %s", log.lastTerm(), term);
        configs = ConfigLog.of(log);
        voters.install(configs.newest());
        window = new EntryWindow(log.lastIndex(), log.lastTerm());
        for (Answer answer : answers) {
            snapshotSeen(answer.snapshot());
            commitIndex = Math.max(commitIndex, answer.commitIndex());
        }
        Invariants.check(
                commitIndex <= log.lastIndex(),
                "a voter knows %s to be committed, the newest log ends at %s",
                commitIndex,
                log.lastIndex());
        noopIndex = log.lastIndex() + 1;
        window.add(
                Entry.newBuilder()
                        .setIndex(noopIndex)
                        .setTerm(term)
                        .setKind(EntryKind.NOOP)
                        .build());
        feed.startAfter(snapshot.getIndex());
        for (Answer answer : answers) {
            place(Invariants.present(voters.get(answer.walId()), "a voter"), answer);
        }
    }

    /** Works out from where on a voter that has accepted the term needs entries. */
    void place(VoterProgress voter, Answer answer) {
        Invariants.check(
                answer.commitIndex() < noopIndex,
                "voter %s knows %s to be committed, the adopted log ended before %s",
                answer.walId(),
                answer.commitIndex(),
                noopIndex);
        snapshotSeen(answer.snapshot());
        long last = answer.lastIndex();
        boolean inMemory = last >= window.baseIndex() && last <= window.lastIndex();
        boolean same = inMemory && window.termAt(last) == answer.lastTerm();
        voter.learner = answer.learner();
        voter.snapshotAcked = answer.snapshot().getIndex();
        voter.snapshotSent = voter.snapshotAcked;
        voter.match = same ? last : answer.commitIndex();
        voter.next = Math.min(last, window.lastIndex()) + 1;
        voter.mode = same ? VoterProgress.Mode.REPLICATE : VoterProgress.Mode.PROBE;
        commitIndex = Math.max(commitIndex, answer.commitIndex());
    }

    /** A voter has this snapshot: what it covers is committed. */
    void snapshotSeen(Snapshot seen) {
        boolean later = seen.getIndex() > snapshot.getIndex();
        boolean named = seen.getIndex() == snapshot.getIndex() && !snapshot.hasRecord();
        if (later || named) {
            snapshot = seen.toBuilder().setConfig(configs.at(seen.getIndex())).build();
            configs.trimTo(seen.getIndex());
            commitIndex = Math.max(commitIndex, seen.getIndex());
        }
    }

    /** Appends a config, which is in force from here on. */
    void appendConfig(VoterConfig config) {
        // Voters read it, so it is never in parts.
        parts.add(EntryKind.CONFIG, config.toByteString());
        configs.append(window.lastIndex(), config);
        voters.install(config);
        advanceCommit();
    }

    /**
     * The node has nothing of the region any more. If it was added again before that was known, it
     * begins anew; a member stays what it is.
     */
    void forget(VoterProgress node) {
        if (voters.isMember(node)) {
            return;
        }
        replicator.catchUp.lost(node);
        feed.lost(node);
        if (node == voters.learner()) {
            node.restart();
        } else {
            voters.forget(node);
        }
    }

    /** Counts replicas. Returns whether the commit index has moved. */
    boolean advanceCommit() {
        int members = voters.members().size();
        long matched = voters.matchedBy(rules.commitQuorum(members));
        if (matched <= commitIndex || matched < rules.firstCountedIndex(noopIndex)) {
            return false;
        }
        Invariants.check(
                matched <= window.lastIndex(),
                "a majority has %s, the log ends at %s",
                matched,
                window.lastIndex());
        commitIndex = matched;
        return true;
    }

    /** Forgets entries that nobody needs from memory. */
    void compact() {
        long droppable = Math.min(feed.takenIndex(), commitIndex);
        long needless = Math.max(voters.matchedByAll(), snapshot.getIndex());
        window.dropThrough(Math.min(droppable, needless));
        while (window.bytes() > options.windowBytes() / 2 && window.baseIndex() < droppable) {
            window.dropThrough(window.baseIndex() + 1);
        }
    }

    /** From when a majority's promise to refuse others counts; null when none has made one. */
    Clock.@Nullable Reading leaseStart() {
        int quorum = rules.leaseQuorum(voters.members().size());
        Clock.Reading start = null;
        for (VoterProgress voter : voters.members()) {
            Clock.Reading granted = promiseOf(voter);
            boolean later = start == null || (granted != null && isLater(granted, start));
            // The quorum-th newest is the newest that quorum - 1 others are not older than.
            if (granted != null && later && promisesSince(granted) >= quorum) {
                start = granted;
            }
        }
        return start;
    }

    private int promisesSince(Clock.Reading moment) {
        int since = 0;
        for (VoterProgress voter : voters.members()) {
            Clock.Reading granted = promiseOf(voter);
            if (granted != null && !isLater(moment, granted)) {
                since++;
            }
        }
        return since;
    }

    private Clock.@Nullable Reading promiseOf(VoterProgress voter) {
        Clock.Reading renewed = sessions.renewedAt(voter.walId, voter.session);
        if (renewed != null && !voter.distrusted) {
            voter.grant(renewed);
        }
        return voter.counts() ? voter.granted : null;
    }

    private static boolean isLater(Clock.Reading a, Clock.Reading b) {
        return a.monotonicNanos() - b.monotonicNanos() > 0;
    }

    /** The voter is not counted any more in this term. */
    void distrust(VoterProgress voter) {
        voter.distrusted = true;
        voter.granted = null;
    }
}
