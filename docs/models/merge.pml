/*
 * The merge of a region S into its neighbour T, and the garbage that it leaves (docs/adr/0013,
 * docs/garbage.md, proof 8), in small scope. Store A leads both in term 1 and tries the merge; it may
 * end between any two steps, or go on as a zombie. Others lead S and T in term 2, from any moment on.
 * PD issues terms, has reports that may be old, and tells who is sealed what has become of the merge.
 * One collector works meanwhile, step by step.
 *
 *   spin -a merge.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m300000
 *
 * Files are bits, all of region S: 1 is in its first record, 2 is drafted for the merge by A, 4 is
 * uploaded by the owner of term 2. T's own files are left out: they are the other model's subject.
 * A log is what is committed in it; only the owner of `xTerm` can commit. Broken versions, -D...:
 *
 *   RECORD_AFTER_SEAL   the record of both is stored behind PrepareMerge
 *   COMMIT_BEFORE_SEAL  CommitMerge does not wait for PrepareMerge
 *   UNKNOWN_IS_VOID     an entry of unknown fate is taken for void
 *   ISSUED_IS_SHOWN     PD says void when a later term of T is only issued
 *   REPORT_OF_ANY_TERM  PD says void by what a leader of the term before has reported
 *   TOLD_EARLY          PD is told of a merge that is not committed yet
 *   NAMED_OR_NOT        files of a merged region are dead though T's record names them
 *   LIST_BEFORE_ROOTS   records are listed before the reports are read
 */
#define RS0 0                   /* S: the record before the merge */
#define RS1 1                   /* S: the next, if it stays a region */
#define RT0 2                   /* T: the record before the merge */
#define RM 3                    /* the record of both, T's */
#define RT1 4                   /* T: the next, with the merge or without */
#define RECS 5
#define OF_S(r) ((r) <= RS1)

/* the bucket */
byte there = 1;                 /* files */
byte ever = 1;                  /* files that have been uploaded */
byte fileTerm[3];
bool rec[RECS], stored[RECS];   /* is there, was ever */
byte recTerm[RECS], recSet[RECS];
byte after[RECS];               /* files that had been uploaded when it was stored: its date */
bool joined[RECS];              /* its lineage says that S is part of T */

/* the logs */
byte sTerm = 1, tTerm = 1;
byte sCur = RS0, tCur = RT0;
bool sealed, merged;

/* PD */
bool pdS = true;                /* S is in its table */
byte pdST = 1, pdTT = 1;        /* newest terms issued */
byte repST, repS, repTT, repT;  /* reports: term and current record */

/* what leaders know of their logs: A, then the owners of term 2 */
byte aS = RS0, aT = RT0, bS, bT;
bool sLeads, tLeads;            /* those of term 2 have applied their first entries */
bool sGone;

inline verify() {
    d_step {
        assert(rec[tCur] && !(recSet[tCur] & ~there));
        assert(!pdS || (rec[sCur] && !(recSet[sCur] & ~there)));
        assert(!(merged && !sealed));
        assert(pdS || merged)
    }
}

inline put(r, t, set) {
    rec[r] = true; stored[r] = true; after[r] = ever; recTerm[r] = t; recSet[r] = set
}

inline upload(f, t) {
    there = there | (1 << f); ever = ever | (1 << f); fileTerm[f] = t
}

/* A leader of S in term t that finds it sealed asks PD, and goes on with what PD says. */
#ifdef ISSUED_IS_SHOWN
#define VOID (pdTT > 1 && !joined[repT])
#else
#ifdef REPORT_OF_ANY_TERM
#define VOID (repTT >= 1 && !joined[repT])
#else
#define VOID (repTT > 1 && !joined[repT])
#endif
#endif

inline rollback(t) {
    atomic { if :: sTerm == t && sealed -> sealed = false; verify() :: else fi }
}

/* S goes on alone: publishes once more, with what its owner has, and drops what it likes. */
inline goOn(t, set, known) {
    if
    :: atomic { !stored[RS1] -> put(RS1, t, set) };
       atomic {
           if :: sTerm == t && !sealed && sCur == RS0 -> sCur = RS1; known = RS1; verify() :: else fi
       }
    :: true
    fi
}

inline storeBoth() {
    atomic { put(RM, 1, 3); joined[RM] = true }
}

inline prepare() {
    atomic { if :: sTerm == 1 && !sealed -> sealed = true; did = true :: else -> did = false fi }
}

inline commit() {
    atomic {
        told = false;
        if
        :: tTerm == 1 && tCur == RT0 ->
            tCur = RM; merged = true; verify();
            if :: aT = RM; told = true :: true fi       /* or nobody hears of it */
        :: else
        fi
    }
}

proctype A() {
    bool did, told;
    atomic { upload(1, 1) };
#ifdef RECORD_AFTER_SEAL
    prepare();
    storeBoth();
#else
    storeBoth();
#ifdef COMMIT_BEFORE_SEAL
    did = true;
#else
    prepare();
#endif
#endif
#ifdef TOLD_EARLY
    atomic { if :: did && pdTT == 1 -> pdS = false; verify() :: else fi };
#endif
    if
    :: !did -> goto end                     /* S has another owner, who is not sealed */
    :: did ->                               /* given up in time */
        rollback(1)
    :: did ->
        commit();
        if
        :: told -> goto end
        :: else ->
#ifdef UNKNOWN_IS_VOID
            rollback(1)
#else
end_asks:   if
            :: atomic { !pdS -> goto end }
            :: atomic { pdS && VOID -> skip }
            fi;
            rollback(1)
#endif
        fi
    fi;
    if
    :: true -> goOn(1, 3, aS)
    :: true -> goOn(1, 2, aS)
    fi;
end: skip
}

/* S in term 2. */
proctype S2() {
end_start:
    atomic { pdS -> pdST = 2 };
    atomic { sTerm = 2; bS = sCur; sLeads = true };
    if
    :: sealed ->
end_asks: if
        :: atomic { !pdS -> sGone = true; goto end }
        :: atomic { pdS && VOID -> skip }
        fi;
        rollback(2)
    :: else
    fi;
    atomic { upload(2, 2) };
    if
    :: true -> goOn(2, 4, bS)
    :: true -> goOn(2, 5, bS)
    fi;
end: skip
}

/* T in term 2: its log tells whether the merge is committed. */
proctype T2() {
    pdTT = 2;
    atomic { tTerm = 2; bT = tCur; tLeads = true }
}

/* T's leader of either term publishes once more; A only when it has done with the merge. */
proctype Publishes() {
    byte t, parent;
    if
    :: atomic { aT == RM -> t = 1; parent = RM }
    :: atomic { tLeads -> t = 2; parent = bT }
    fi;
    atomic {
        put(RT1, t, 0);
        joined[RT1] = joined[parent];
        if
        :: parent == RM -> if :: recSet[RT1] = 3 :: recSet[RT1] = 2 fi
        :: else
        fi
    };
    atomic {
        if
        :: tTerm == t && tCur == parent ->
            tCur = RT1; verify();
            if :: t == 1 -> aT = RT1 :: else -> bT = RT1 fi
        :: else
        fi
    }
}

/* What leaders say reaches PD at any time, with their term; PD ignores all but the newest. */
proctype Reports() {
end: do
    :: atomic { pdST == 1 && (repST != 1 || repS != aS) -> repST = 1; repS = aS }
    :: atomic { pdST == 2 && sLeads && !sGone && (repST != 2 || repS != bS) -> repST = 2; repS = bS }
    :: atomic { pdTT == 1 && (repTT != 1 || repT != aT) -> repTT = 1; repT = aT }
    :: atomic { pdTT == 2 && tLeads && (repTT != 2 || repT != bT) -> repTT = 2; repT = bT }
    :: atomic { pdS && pdTT == 1 && joined[aT] -> pdS = false; verify() }
    :: atomic { pdS && pdTT == 2 && tLeads && joined[bT] -> pdS = false; verify() }
    od
}

proctype Collector() {
    byte cST, cS, cTT, cT, nS, nT, listed, seen, dead, marked, replaced, gone, i;
    bool known, part;
    listed = there;
#ifdef LIST_BEFORE_ROOTS
    atomic { for (i : 0 .. RECS - 1) { if :: rec[i] -> seen = seen | (1 << i) :: else fi }; i = 0 };
#endif
    atomic { cST = repST; cS = repS; cTT = repTT; cT = repT };
    atomic { known = pdS; nS = pdST; nT = pdTT };
#ifndef LIST_BEFORE_ROOTS
    atomic { for (i : 0 .. RECS - 1) { if :: rec[i] -> seen = seen | (1 << i) :: else fi }; i = 0 };
#endif
    d_step {
        part = !known && cTT == nT && joined[cT];
        for (i : 0 .. RECS - 1) {
            if
            :: !(seen & (1 << i))
            :: else ->
                if
                :: (OF_S(i) && ((!known && part)
                        || (known && cST == nS && i != cS
                            && (recTerm[i] < nS || (recTerm[cS] == nS && i < cS))))) ->
                    dead = dead | (1 << i);
                    if
                    :: known && recTerm[i] == nS -> replaced = replaced | recSet[i]
                    :: else
                    fi
                :: (!OF_S(i) && cTT == nT && i != cT
                        && (recTerm[i] < nT || (recTerm[cT] == nT && i < cT))) ->
                    dead = dead | (1 << i)
                :: else -> marked = marked | recSet[i]
                fi
            fi
        };
        for (i : 0 .. 2) {
            if
            :: !(listed & (1 << i))
#ifdef NAMED_OR_NOT
            :: (listed & (1 << i)) && !known && part -> gone = gone | (1 << i)
#endif
            :: (listed & (1 << i)) && (marked & (1 << i))
            :: (listed & (1 << i)) && !(marked & (1 << i)) ->
                if
                :: ((!known && part)
                    || (known && cST == nS && (fileTerm[i] < nS
                        || (recTerm[cS] == nS
                            && ((replaced | after[cS]) & (1 << i)))))) ->
                    gone = gone | (1 << i)
                :: else
                fi
            fi
        };
        i = 0; cST = 0; cS = 0; cTT = 0; cT = 0; nS = 0; nT = 0; listed = 0; seen = 0; marked = 0;
        replaced = 0; known = false; part = false
    };
    /* records first, one step for each */
    do
    :: dead -> atomic {
            for (i : 0 .. RECS - 1) {
                if :: dead & (1 << i) -> dead = dead & ~(1 << i); rec[i] = false; break :: else fi
            };
            i = 0; verify()
        }
    :: !dead && gone -> atomic {
            for (i : 0 .. 2) {
                if :: gone & (1 << i) -> gone = gone & ~(1 << i); there = there & ~(1 << i); break :: else fi
            };
            i = 0; verify()
        }
    :: !dead && !gone -> break
    od
}

init {
    atomic {
        fileTerm[0] = 1;
        put(RS0, 1, 1);
        put(RT0, 1, 0);
        run A(); run S2(); run T2(); run Publishes(); run Reports(); run Collector()
    }
}
