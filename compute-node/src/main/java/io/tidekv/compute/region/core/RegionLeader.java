package io.tidekv.compute.region.core;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.WalResponse;
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
@SuppressWarnings("DoNotCallSuggester")
public final class RegionLeader {
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
        throw new UnsupportedOperationException("under construction");
    }

    /** Begins; nothing is sent before. */
    public void start(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** A new connection to a WAL node is ready. Nodes that are no voters are ignored. */
    public void onConnected(long walId, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** What is under way to the node will not be answered. */
    public void onDisconnected(long walId, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** A response for this region. One that belongs to an earlier leader is ignored. */
    public void onResponse(long walId, WalResponse response, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** A renewal has said that a higher term waits for the region: begins the release. */
    public void onPending(long walId, long pendingTerm, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Timers. Every 100 ms while leading; every 20 ms or so while opening, for a quick takeover.
     */
    public void tick(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Takes an entry into the log and returns its index. Nothing is sent before {@link #pump}: call
     * that once for all proposals at hand. The payload is not copied.
     *
     * @throws ProposalRefused with the reason
     */
    public long propose(EntryKind kind, ByteString data) {
        throw new UnsupportedOperationException("under construction");
    }

    /** Sends what is to be sent: one Append per voter unless bounds of bytes demand more. */
    public void pump(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Stops proposals and reads at once, waits until all that was proposed is committed, gives the
     * lease up, then tells the voters. Ends in RELEASED. The driver gives up waiting by dropping
     * the leader: the lease then lapses by itself.
     */
    public void beginRelease(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    public LeaderPhase phase() {
        throw new UnsupportedOperationException("under construction");
    }

    /** Why the leader is RELEASING, RELEASED or FENCED; empty before. */
    public String reason() {
        throw new UnsupportedOperationException("under construction");
    }

    public long regionId() {
        throw new UnsupportedOperationException("under construction");
    }

    public long term() {
        throw new UnsupportedOperationException("under construction");
    }

    /** The voters in force: what was given, or a newer one that a voter knew. */
    public VoterConfig config() {
        throw new UnsupportedOperationException("under construction");
    }

    /** Everything up to here is on a majority for good. */
    public long commitIndex() {
        throw new UnsupportedOperationException("under construction");
    }

    /** The last entry of the log, committed or not. */
    public long lastIndex() {
        throw new UnsupportedOperationException("under construction");
    }

    /** The newest snapshot that any voter knows; the start of the log. From COMPLETING on. */
    public Snapshot snapshot() {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * The committed entries after those taken before, in order; the first call begins after the
     * snapshot. May be empty although more are committed: entries that are not in memory are read
     * from a voter meanwhile. Entries taken leave the window.
     */
    public List<Entry> takeCommitted() {
        throw new UnsupportedOperationException("under construction");
    }

    /** The last index that {@link #takeCommitted()} has returned, or where it begins. */
    public long takenIndex() {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Makes {@link #takeCommitted()} go on after {@code index}, which lies in [snapshot, taken]:
     * for a driver that walks the tail once to find the newest record and once to replay.
     */
    public void rewind(long index) {
        throw new UnsupportedOperationException("under construction");
    }

    /** A ManifestCommit was applied: voters may trim up to it. An older one is ignored. */
    public void moveSnapshot(Snapshot snapshot) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Whether no other owner can have written anything up to {@code now}, which must have been read
     * after the request to be answered came in. The applied state may then be read.
     */
    public boolean leaseValid(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * The moment from which the lease in force counts: the quorum-th newest send time of what
     * voters have answered; null without a lease, and from the end of LEADING on. The driver
     * publishes it, so that other threads decide by themselves with {@link #leaseCovers}.
     */
    public Clock.@Nullable Reading leaseStart() {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * What {@link #leaseValid} decides, as a function of values: usable on any thread with a {@code
     * start} that was in force when {@code now} was read.
     */
    public static boolean leaseCovers(
            LeaderOptions options, Clock.Reading start, Clock.Reading now) {
        long monotonicMs = (now.monotonicNanos() - start.monotonicNanos()) / 1_000_000;
        long wallMs = now.wallMillis() - start.wallMillis();
        return monotonicMs >= 0
                && monotonicMs < options.leaseMs() - options.driftMs()
                && Math.abs(wallMs - monotonicMs) <= options.driftMs();
    }

    /**
     * Asks the voters whether this leader is still the owner; the question leaves with the next
     * {@link #pump}. Returns a token for {@link #confirmed}; requests made before one pump share
     * one round. Only in LEADING.
     *
     * @throws ProposalRefused NOT_LEADING otherwise
     */
    public long requestConfirm(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Whether a majority has answered what was sent after the request: nobody else had written
     * anything by then. Never becomes true after the end of LEADING.
     */
    public boolean confirmed(long token) {
        throw new UnsupportedOperationException("under construction");
    }
}
