package io.tidekv.sim;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What has been committed in a region, as anybody ever learnt it: it never changes, and a majority
 * of the disks has it at every moment.
 */
final class GoldenLog {
    private final long regionId;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<Long, Long> indexOfOp = new HashMap<>();
    private long tipIndex;
    private long tipTerm;
    private VoterConfig tipConfig;

    GoldenLog(long regionId, VoterConfig first) {
        this.regionId = regionId;
        this.tipConfig = first;
    }

    private long lastIndex() {
        return entries.size();
    }

    /** The last entry that is committed, whether or not anybody has looked at it yet. */
    long tipIndex() {
        return tipIndex;
    }

    long tipTerm() {
        return tipTerm;
    }

    /**
     * A leader has counted a majority for an entry of its own term: of the config that is in force
     * now, or of the one before, if it has appended the other in the same step.
     */
    void counted(
            long index,
            long term,
            VoterConfig inForce,
            VoterConfig committed,
            Collection<SimWal> nodes) {
        if (index > tipIndex) {
            SimFailure.check(
                    term >= tipTerm,
                    "region %d: term %d commits %d after term %d has committed",
                    regionId,
                    term,
                    index,
                    tipTerm);
            tipIndex = index;
            tipTerm = term;
            tipConfig = inForce;
            if (holding(nodes) <= inForce.getWalIdsCount() / 2) {
                tipConfig = committed;
            }
        }
    }

    boolean knows(long index) {
        return index <= lastIndex();
    }

    Entry get(long index) {
        return entries.get((int) index - 1);
    }

    /** Index of the committed entry of a write; 0 for the write that never was. */
    long indexOf(long op) {
        return op == 0 ? 0 : indexOfOp.getOrDefault(op, -1L);
    }

    /** A leader says that this entry is committed. */
    void committed(Entry entry) {
        if (entry.getIndex() <= lastIndex()) {
            SimFailure.check(
                    get(entry.getIndex()).equals(entry),
                    "region %d: committed entry %d has changed from term %d to %d",
                    regionId,
                    entry.getIndex(),
                    get(entry.getIndex()).getTerm(),
                    entry.getTerm());
            return;
        }
        SimFailure.check(
                entry.getIndex() == lastIndex() + entry.getParts() + 1,
                "region %d: %d is committed after %d",
                regionId,
                entry.getIndex(),
                lastIndex());
        for (long index = lastIndex() + 1; index < entry.getIndex(); index++) {
            // Nobody asks for it: it is within the entry, or of none.
            entries.add(Entry.newBuilder().setIndex(index).setKind(EntryKind.PART).build());
        }
        entries.add(entry);
        if (entry.getKind() == EntryKind.WRITE) {
            Long before = indexOfOp.putIfAbsent(Registers.op(entry), entry.getIndex());
            SimFailure.check(
                    before == null,
                    "region %d: write %d is in the log twice",
                    regionId,
                    Registers.op(entry));
        }
    }

    /**
     * The last committed entry, and by log matching all before it, is on a majority of the disks of
     * those voters that it was counted with.
     */
    void checkDurable(Collection<SimWal> nodes) {
        int holding = holding(nodes);
        SimFailure.check(
                holding > tipConfig.getWalIdsCount() / 2,
                "region %d: committed entry %d of term %d is on %d disks of %d",
                regionId,
                tipIndex,
                tipTerm,
                holding,
                tipConfig.getWalIdsCount());
    }

    private int holding(Collection<SimWal> nodes) {
        int holding = 0;
        for (SimWal node : nodes) {
            boolean counts = tipConfig.getWalIdsList().contains(node.walId());
            // What damage has taken from one was there, and nobody is let in without the others.
            boolean holds =
                    tipIndex == 0
                            || node.disk().holds(regionId, tipIndex, tipTerm)
                            || node.disk().lacks(regionId);
            if (counts && holds) {
                holding++;
            }
        }
        return holding;
    }
}
