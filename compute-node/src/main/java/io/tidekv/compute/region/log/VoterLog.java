package io.tidekv.compute.region.log;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.region.core.ProposalRefused;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The log kept by voters on WAL nodes: a {@link RegionLeader}, whose positions are Raft's indexes.
 * Whoever has the connections hands it what comes from them by {@link #leader()}.
 */
public final class VoterLog implements RegionLog {
    private final LeaderOptions options;
    private final RegionLeader leader;

    public VoterLog(LeaderOptions options, RegionLeader leader) {
        this.options = options;
        this.leader = leader;
    }

    /** Takes what WAL nodes say. */
    public RegionLeader leader() {
        return leader;
    }

    @Override
    public long regionId() {
        return leader.regionId();
    }

    @Override
    public long term() {
        return leader.term();
    }

    @Override
    public void open(Clock.Reading now) {
        leader.start(now);
    }

    @Override
    public Stage stage() {
        return switch (leader.phase()) {
            case OPENING -> Stage.OPENING;
            case COMPLETING -> Stage.RECOVERING;
            case LEADING -> Stage.LEADING;
            case RELEASING -> Stage.RELEASING;
            case RELEASED -> Stage.RELEASED;
            case FENCED -> Stage.FENCED;
            case FAILED -> Stage.FAILED;
        };
    }

    @Override
    public String reason() {
        return leader.reason();
    }

    @Override
    public void tick(Clock.Reading now) {
        leader.tick(now);
    }

    @Override
    public void send(Clock.Reading now) {
        leader.pump(now);
    }

    @Override
    public boolean atRest() {
        return leader.atRest();
    }

    @Override
    public long append(EntryKind kind, ByteString data) {
        try {
            return leader.propose(kind, data);
        } catch (ProposalRefused e) {
            throw refused(e);
        }
    }

    @Override
    public Snapshot start() {
        return leader.snapshot();
    }

    @Override
    public long committed() {
        return leader.commitIndex();
    }

    @Override
    public long readTo() {
        return leader.takenIndex();
    }

    @Override
    public List<Entry> read() {
        return leader.takeCommitted();
    }

    @Override
    public void seek(long position) {
        leader.rewind(position);
    }

    @Override
    public void trimTo(Snapshot start) {
        leader.moveSnapshot(start);
    }

    @Override
    public @Nullable LogLease lease() {
        Clock.Reading start = leader.leaseStart();
        return start == null ? null : now -> RegionLeader.leaseCovers(options, start, now);
    }

    @Override
    public long requestConfirm(Clock.Reading now) {
        try {
            return leader.requestConfirm(now);
        } catch (ProposalRefused e) {
            throw refused(e);
        }
    }

    @Override
    public boolean confirmed(long token) {
        return leader.confirmed(token);
    }

    @Override
    public void release(Clock.Reading now) {
        leader.beginRelease(now);
    }

    @Override
    public @Nullable Origin origin() {
        return leader.origin();
    }

    @Override
    public VoterConfig voters() {
        return leader.config();
    }

    @Override
    public @Nullable VoterChange voterChange() {
        return leader.voterChange();
    }

    @Override
    public void changeVoters(VoterConfig target, Collection<Long> retire) {
        leader.changeVoters(target, retire);
    }

    private static AppendRefused refused(ProposalRefused e) {
        AppendRefused.Reason reason =
                switch (e.reason()) {
                    case NOT_LEADING -> AppendRefused.Reason.NOT_LEADING;
                    case WINDOW_FULL -> AppendRefused.Reason.FULL;
                    case TOO_LARGE -> AppendRefused.Reason.TOO_LARGE;
                    case NOT_ALLOWED -> AppendRefused.Reason.NOT_ALLOWED;
                };
        return new AppendRefused(reason, String.valueOf(e.getMessage()));
    }
}
