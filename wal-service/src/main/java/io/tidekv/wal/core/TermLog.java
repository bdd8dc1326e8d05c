package io.tidekv.wal.core;

import io.tidekv.common.Invariants;
import io.tidekv.wal.core.VoterStorage.TermRun;
import java.util.Arrays;
import java.util.List;

/**
 * The terms of a voter's entries in {@code (baseIndex, lastIndex]}, kept as runs of equal terms: a
 * few numbers however long the log is.
 *
 * <p>Invariants: {@code baseIndex <= lastIndex}; the first run starts at {@code baseIndex + 1};
 * starts and terms ascend strictly; there are no runs exactly when the log is empty.
 */
final class TermLog {
    private long baseIndex;
    private long baseTerm;
    private long lastIndex;
    private long[] starts = new long[2];
    private long[] terms = new long[2];
    private int runs;

    TermLog(long baseIndex, long baseTerm) {
        this.baseIndex = baseIndex;
        this.baseTerm = baseTerm;
        this.lastIndex = baseIndex;
    }

    static TermLog recovered(
            long baseIndex, long baseTerm, List<TermRun> recovered, long lastIndex) {
        TermLog log = new TermLog(baseIndex, baseTerm);
        for (int i = 0; i < recovered.size(); i++) {
            TermRun run = recovered.get(i);
            long end = i + 1 < recovered.size() ? recovered.get(i + 1).firstIndex() - 1 : lastIndex;
            Invariants.check(
                    run.firstIndex() == log.lastIndex + 1 && end >= run.firstIndex(),
                    "recovered runs leave a gap at %s",
                    run.firstIndex());
            log.append(run.firstIndex(), run.term());
            log.lastIndex = end;
        }
        Invariants.check(log.lastIndex == lastIndex, "recovered runs end at %s", log.lastIndex);
        return log;
    }

    long baseIndex() {
        return baseIndex;
    }

    long lastIndex() {
        return lastIndex;
    }

    long lastTerm() {
        return runs == 0 ? baseTerm : terms[runs - 1];
    }

    /** Term of the entry, or of the snapshot at the base; {@code index} in [base, last]. */
    long termAt(long index) {
        Invariants.check(
                index >= baseIndex && index <= lastIndex,
                "no term of %s in [%s, %s]",
                index,
                baseIndex,
                lastIndex);
        return index == baseIndex ? baseTerm : terms[runOf(index)];
    }

    boolean contains(long index, long term) {
        return index >= baseIndex && index <= lastIndex && termAt(index) == term;
    }

    /** First index of the run that holds {@code index}, an entry. */
    long runStart(long index) {
        return starts[runOf(index)];
    }

    private int runOf(long index) {
        int run = runs - 1;
        while (starts[run] > index) {
            run--;
        }
        return run;
    }

    void append(long index, long term) {
        Invariants.check(index == lastIndex + 1, "entry %s after %s", index, lastIndex);
        Invariants.check(term >= lastTerm(), "term %s after %s", term, lastTerm());
        if (runs == 0 || terms[runs - 1] != term) {
            if (runs == starts.length) {
                starts = Arrays.copyOf(starts, runs * 2);
                terms = Arrays.copyOf(terms, runs * 2);
            }
            starts[runs] = index;
            terms[runs] = term;
            runs++;
        }
        lastIndex = index;
    }

    /** Drops the entries from {@code index} on, which lies above the base. */
    void truncateFrom(long index) {
        Invariants.check(index > baseIndex, "truncating %s at base %s", index, baseIndex);
        while (runs > 0 && starts[runs - 1] >= index) {
            runs--;
        }
        lastIndex = Math.min(lastIndex, index - 1);
    }

    /** Moves the base forward to an entry of the log. */
    void trimTo(long index) {
        long term = termAt(index);
        int keep = 0;
        while (keep < runs && (keep + 1 < runs ? starts[keep + 1] - 1 : lastIndex) <= index) {
            keep++;
        }
        runs -= keep;
        System.arraycopy(starts, keep, starts, 0, runs);
        System.arraycopy(terms, keep, terms, 0, runs);
        if (runs > 0) {
            starts[0] = index + 1;
        }
        baseIndex = index;
        baseTerm = term;
    }

    /** Empties the log, which goes on after the given entry. */
    void reset(long index, long term) {
        runs = 0;
        baseIndex = index;
        baseTerm = term;
        lastIndex = index;
    }
}
