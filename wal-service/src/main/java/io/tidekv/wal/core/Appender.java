package io.tidekv.wal.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.AppendResponse;
import io.tidekv.proto.wal.WalResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an Append does to a voter: Raft's AppendEntries and the effect of InstallSnapshot. */
final class Appender {
    private final long regionId;
    private final VoterStorage storage;
    private final VoterRules rules;

    Appender(long regionId, VoterStorage storage, VoterRules rules) {
        this.regionId = regionId;
        this.storage = storage;
        this.rules = rules;
    }

    WalResponse.Builder append(Voter voter, AppendRequest request, long nowNanos) {
        WalResponse.Builder refusal = own(voter, request, nowNanos);
        if (refusal != null) {
            return refusal;
        }
        long session = voter.extend(request.getOwner(), request.getLeaseMs(), nowNanos);
        AppendResponse.Builder response = AppendResponse.newBuilder().setSession(session);
        if (request.getResetToSnapshot()) {
            reset(voter, request.getSnapshot());
        }
        if (!matches(voter.log(), request)) {
            return WalResponse.newBuilder()
                    .setAppend(
                            response.setMatched(false)
                                    .setLearner(voter.meta().getLearner())
                                    .setLastIndex(hint(voter, request)));
        }
        store(voter, request.getEntriesList());
        long last = request.getPrevIndex() + request.getEntriesCount();
        // A prefix that the snapshot covers may end below it: nothing to learn then.
        voter.commitTo(Math.min(request.getCommitIndex(), last));
        Snapshot snapshot = request.getSnapshot();
        if (snapshot.getIndex() > voter.log().baseIndex()
                && snapshot.getIndex() <= voter.commitIndex()) {
            voter.trimTo(snapshot);
        }
        if (request.getPromote() && last >= request.getCommitIndex()) {
            voter.promote();
        }
        return WalResponse.newBuilder()
                .setAppend(
                        response.setMatched(true)
                                .setLastIndex(last)
                                .setLearner(voter.meta().getLearner()));
    }

    /** Makes sure that the term is the voter's and the sender's; adopts a higher one as an Open. */
    private static WalResponse.@Nullable Builder own(
            Voter voter, AppendRequest request, long nowNanos) {
        long held = voter.meta().getTerm();
        if (request.getTerm() < held) {
            return Replies.staleTerm(held, "a higher term has been seen");
        }
        if (request.getTerm() > held) {
            WalResponse.Builder refusal =
                    voter.admit(request.getTerm(), request.getOwner(), nowNanos);
            if (refusal == null) {
                voter.take(request.getTerm(), request.getOwner(), request.getLeaseMs(), nowNanos);
            }
            return refusal;
        }
        if (!request.getOwner().equals(voter.meta().getOwner())) {
            return Replies.notOwner(held, "the term is another owner's");
        }
        return voter.meta().getReleased()
                ? Replies.notOwner(held, "the term has been released")
                : null;
    }

    /** Raft figure 13: what the log has in common with the snapshot stays. */
    private static void reset(Voter voter, Snapshot snapshot) {
        boolean covered = snapshot.getIndex() <= voter.log().baseIndex();
        boolean has = voter.log().contains(snapshot.getIndex(), snapshot.getTerm());
        if (!covered && !has) {
            voter.resetTo(snapshot);
        }
    }

    private static boolean matches(TermLog log, AppendRequest request) {
        long prev = request.getPrevIndex();
        // Entries below the snapshot are committed, and this leader has every committed entry.
        return prev < log.baseIndex() || log.contains(prev, request.getPrevTerm());
    }

    /** Where the leader may try next: before the run that conflicts, but not below the commit. */
    private static long hint(Voter voter, AppendRequest request) {
        TermLog log = voter.log();
        long prev = request.getPrevIndex();
        if (prev > log.lastIndex()) {
            return log.lastIndex();
        }
        Invariants.check(
                prev > voter.commitIndex(),
                "prev %s of term %s differs from a committed entry",
                prev,
                request.getPrevTerm());
        return Math.max(log.runStart(prev) - 1, voter.commitIndex());
    }

    /** Appends what the voter lacks, replacing from the first entry that differs. */
    private void store(Voter voter, List<Entry> entries) {
        TermLog log = voter.log();
        int fresh = 0;
        while (fresh < entries.size() && !isFresh(voter, entries.get(fresh))) {
            fresh++;
        }
        if (fresh == entries.size()) {
            return;
        }
        // Lists are walked by index here: an iterator or a view for each append would be garbage.
        List<Entry> rest = fresh == 0 ? entries : entries.subList(fresh, entries.size());
        voter.announce(rest);
        storage.append(regionId, rest);
        long first = rest.get(0).getIndex();
        if (first <= log.lastIndex()) {
            log.truncateFrom(first);
        }
        for (int i = 0; i < rest.size(); i++) {
            log.append(rest.get(i).getIndex(), rest.get(i).getTerm());
        }
        voter.settleConfigs(rest);
    }

    private boolean isFresh(Voter voter, Entry entry) {
        TermLog log = voter.log();
        long index = entry.getIndex();
        if (index > log.lastIndex()) {
            return true;
        }
        if (index < log.baseIndex()) {
            return false;
        }
        long held = log.termAt(index);
        Invariants.check(
                held == entry.getTerm() || index > voter.commitIndex(),
                "entry %s of term %s would replace the committed one of term %s",
                index,
                entry.getTerm(),
                held);
        return index > log.baseIndex() && rules.replaces(held, entry.getTerm());
    }
}
