package io.tidekv.compute.region.core;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.WalResponse;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The leader of one region in one term. Pure and single-threaded: the driver feeds it connections,
 * responses and ticks, and looks at {@link #phase()}, {@link #commitIndex()} and {@link
 * #takeCommitted()} afterwards. One object per (region, term); a process that gets a new term for a
 * region drops the leader of the old one first and never uses it again, for voters do not protect
 * an owner from itself.
 *
 * <p>Life: {@code start}, {@code onConnected} for each WAL node that is connected already; then
 * from COMPLETING on {@link #snapshot()} names the record to open, and committed entries after it
 * come from {@link #takeCommitted()}; in LEADING proposals are taken.
 */
public final class RegionLeader {
    private final LeaderOptions options;
    private final LeaderRules rules;
    private final long regionId;
    private final Leadership leadership;
    private final Inbox inbox;
    private LeaderState state;
    private boolean started;

    /**
     * @param origin how the region came to be, if PD sent it: needed for voters that never heard of
     *     the region
     */
    public RegionLeader(
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
        this.regionId = regionId;
        this.leadership =
                new Leadership(
                        options, rules, regionId, term, owner, config, origin, sessions, outbox);
        this.inbox = new Inbox(leadership);
        this.state = new Opening(leadership);
    }

    /** Begins; nothing is sent before. */
    public void start(Clock.Reading now) {
        started = true;
        for (VoterProgress voter : state.correspondents()) {
            ready(voter, now);
        }
    }

    /** A new connection to a WAL node is ready. Nodes that are no voters are ignored. */
    public void onConnected(long walId, Clock.Reading now) {
        onDisconnected(walId, now);
        VoterProgress voter = leadership.voters.connect(walId);
        if (voter != null) {
            ready(voter, now);
        }
    }

    /** What is under way to the node will not be answered. */
    public void onDisconnected(long walId, Clock.Reading now) {
        VoterProgress voter = leadership.voters.disconnect(walId);
        if (voter != null) {
            voter.disconnect();
            leadership.replicator.catchUp.lost(voter);
            leadership.feed.lost(voter);
        }
    }

    /** A response for this region. One that belongs to an earlier leader is ignored. */
    public void onResponse(long walId, WalResponse response, Clock.Reading now) {
        VoterProgress voter = leadership.voters.get(walId);
        if (voter == null || ended() || !leadership.requests.mine(response.getSeq())) {
            return;
        }
        long seq = response.getSeq();
        for (Sent sent = voter.takeUpTo(seq); sent != null; sent = voter.takeUpTo(seq)) {
            if (sent.seq() == seq) {
                state = inbox.onResponse(state, voter, sent, response, now);
            } else {
                inbox.unanswered(voter, sent);
            }
        }
    }

    /** A renewal has said that a higher term waits for the region: begins the release. */
    public void onPending(long walId, long pendingTerm, Clock.Reading now) {
        if (pendingTerm > leadership.term) {
            state = state.beginRelease(Inbox.waits(pendingTerm), now);
        }
    }

    /**
     * Timers. Every 100 ms while leading; every 20 ms or so while opening, for a quick takeover.
     */
    public void tick(Clock.Reading now) {
        state = state.onTick(now);
        for (VoterProgress voter : state.correspondents()) {
            if (voter.idle()) {
                ready(voter, now);
            }
        }
        if (state.replicates()) {
            leadership.replicator.nudge();
        }
        pump(now);
    }

    /**
     * Takes an entry into the log and returns its index. Nothing is sent before {@link #pump}: call
     * that once for all proposals at hand. The payload is not copied. A large one takes several
     * indexes, of which the last is its own.
     *
     * @throws ProposalRefused with the reason
     */
    public long propose(EntryKind kind, ByteString data) {
        if (state.phase() != LeaderPhase.LEADING) {
            throw new ProposalRefused(
                    ProposalRefused.Reason.NOT_LEADING, "the leader is " + state.phase());
        }
        if (!proposable(kind)) {
            throw new ProposalRefused(
                    ProposalRefused.Reason.NOT_ALLOWED, kind + " is not for proposers");
        }
        long bytes = leadership.parts.bytesOf(data);
        if (bytes > options.windowBytes()) {
            throw new ProposalRefused(
                    ProposalRefused.Reason.TOO_LARGE, "an entry of " + bytes + " bytes");
        }
        if (leadership.feed.untakenBytes() + bytes > options.windowBytes()) {
            throw new ProposalRefused(
                    ProposalRefused.Reason.WINDOW_FULL,
                    leadership.feed.untakenBytes() + " bytes wait to be committed and applied");
        }
        leadership.parts.append(kind, data);
        return leadership.window().lastIndex();
    }

    /**
     * Sends what is to be sent: one Append per voter unless bounds of bytes demand more. To be
     * called after a round of proposals, confirmations or responses.
     */
    public void pump(Clock.Reading now) {
        if (!state.replicates()) {
            return;
        }
        state.work(now);
        leadership.replicator.pump(state.wantsLease(), now);
        leadership.feed.pump(now);
        leadership.compact();
    }

    /**
     * Stops proposals and reads at once, waits until all that was proposed is committed, gives the
     * lease up, then tells the voters. Ends in RELEASED. The driver gives up waiting by dropping
     * the leader: the lease then lapses by itself.
     */
    public void beginRelease(Clock.Reading now) {
        state = state.beginRelease("released in order", now);
    }

    public LeaderPhase phase() {
        return state.phase();
    }

    /** Why the leader is RELEASING, RELEASED or FENCED; empty before. */
    public String reason() {
        return state.reason();
    }

    public long regionId() {
        return regionId;
    }

    public long term() {
        return leadership.term;
    }

    /** The newest voters that are known to be committed; what was given, before COMPLETING. */
    public VoterConfig config() {
        return leadership.configs().at(leadership.commitIndex());
    }

    /** The voters that count now, whether or not their config is committed. */
    public VoterConfig configInForce() {
        return leadership.configs().newest();
    }

    /**
     * PD's order to make {@code target} the config: the present one with one node more or less. It
     * may come again and late. The nodes in {@code retire} are told to forget the region unless
     * they are voters. What comes of it: {@link #voterChange()} and {@link #config()}.
     */
    public void changeVoters(VoterConfig target, Collection<Long> retire) {
        leadership.changes.order(target, retire);
    }

    /** The change of voters that is under way or was refused; null when there is none. */
    public @Nullable VoterChange voterChange() {
        return leadership.changes.progress();
    }

    /** How the region came to be, as PD or a voter has said; null when nobody has yet. */
    public @Nullable Origin origin() {
        return leadership.origin();
    }

    /** Everything up to here is on a majority for good. */
    public long commitIndex() {
        return leadership.commitIndex();
    }

    /** Whether an entry of this leader's own term is committed: it has led, whatever came after. */
    public boolean ownTermCommitted() {
        return leadership.ownTermCommitted();
    }

    /** The last entry of the log, committed or not. */
    public long lastIndex() {
        return leadership.window().lastIndex();
    }

    /** The newest snapshot that any voter knows; the start of the log. From COMPLETING on. */
    public Snapshot snapshot() {
        return leadership.snapshot();
    }

    /**
     * The committed entries after those taken before, in order; the first call begins after the
     * snapshot. May be empty although more are committed: entries that are not in memory are read
     * from a voter meanwhile. Entries taken leave the window. When {@code snapshot().index} has
     * passed {@link #takenIndex()} while the driver was opening, the entries between may be gone:
     * it opens the newer record and {@link #rewind}s to its index. Large entries are whole again;
     * {@code parts} of an entry says how many indexes before its own are gone with it.
     */
    public List<Entry> takeCommitted() {
        return leadership.feed.take();
    }

    /** The last index that {@link #takeCommitted()} has returned, or where it begins. */
    public long takenIndex() {
        return leadership.feed.returnedIndex();
    }

    /**
     * Makes {@link #takeCommitted()} go on after {@code index}, which lies in [snapshot, commit]
     * and is that of a snapshot, a record or an entry that was taken: for a driver that walks the
     * tail once to find the newest record and once to replay.
     */
    public void rewind(long index) {
        leadership.feed.seek(index);
    }

    /**
     * Whether nothing is under way or to be repeated: until somebody proposes, asks, connects,
     * disconnects or answers, neither ticks nor pumps would do anything. Leases are renewed by the
     * session meanwhile.
     */
    public boolean atRest() {
        return state.phase() == LeaderPhase.LEADING
                && leadership.committedAll()
                && leadership.feed.takenIndex() == leadership.commitIndex()
                && leadership.replicator.atRest();
    }

    /** A ManifestCommit was applied: voters may trim up to it. An older one is ignored. */
    public void moveSnapshot(Snapshot snapshot) {
        Invariants.check(
                snapshot.getIndex() <= leadership.feed.takenMax(),
                "snapshot %s was never taken",
                snapshot.getIndex());
        leadership.snapshotSeen(snapshot);
    }

    /**
     * Whether no other owner can have written anything up to {@code now}, which must have been read
     * after the request to be answered came in. The applied state may then be read.
     */
    public boolean leaseValid(Clock.Reading now) {
        Clock.Reading start = leaseStart();
        return start != null && leaseCovers(options, start, now);
    }

    /**
     * The moment from which the lease in force counts: the quorum-th newest send time of what
     * voters have answered; null without a lease, and from the end of LEADING on. The driver
     * publishes it after each round, and null before {@link #beginRelease} has any effect, so that
     * other threads decide by themselves with {@link #leaseCovers}.
     */
    public Clock.@Nullable Reading leaseStart() {
        boolean reads = state.phase() == LeaderPhase.LEADING || !rules.readsStopAtRelease();
        return reads && leadership.ownTermCommitted() ? leadership.leaseStart() : null;
    }

    /**
     * What {@link #leaseValid} decides, as a function of values, for any thread that has loaded the
     * published {@code start} and read {@code now} after the request to be answered came in.
     */
    public static boolean leaseCovers(
            LeaderOptions options, Clock.Reading start, Clock.Reading now) {
        return LeaseCheck.holds(options, start, now);
    }

    /**
     * Asks the voters whether this leader is still the owner; the question leaves with the next
     * {@link #pump}. Returns a token for {@link #confirmed}; requests made before one pump share
     * one round. Only in LEADING.
     *
     * @throws ProposalRefused NOT_LEADING otherwise
     */
    public long requestConfirm(Clock.Reading now) {
        if (state.phase() != LeaderPhase.LEADING) {
            throw new ProposalRefused(
                    ProposalRefused.Reason.NOT_LEADING, "the leader is " + state.phase());
        }
        long token = leadership.requests.nextSeq();
        leadership.replicator.confirmFrom(token);
        return token;
    }

    /**
     * Whether a majority has answered what was sent after the request: nobody else had written
     * anything by then. Never becomes true after the end of LEADING.
     */
    public boolean confirmed(long token) {
        if (state.phase() != LeaderPhase.LEADING) {
            return false;
        }
        int answered = leadership.voters.count(voter -> voter.counts() && voter.ackedSeq >= token);
        return answered >= rules.leaseQuorum(leadership.voters.members().size());
    }

    private boolean ended() {
        return state instanceof Ended;
    }

    private void ready(VoterProgress voter, Clock.Reading now) {
        if (started && voter.ready(now.monotonicNanos())) {
            state = state.onReady(voter, now);
        }
    }

    private static boolean proposable(EntryKind kind) {
        return switch (kind) {
            case WRITE, MANIFEST_COMMIT, SPLIT, CHILD_PUBLISHED, FLASHBACK -> true;
            case PREPARE_MERGE, ROLLBACK_MERGE, COMMIT_MERGE, MERGE_REPORTED -> true;
            // A no-op begins a term; voters are changed by changeVoters.
            case NOOP, CONFIG, PART, ENTRY_KIND_UNSPECIFIED, UNRECOGNIZED -> false;
        };
    }
}
