/*
 * Backups and branches beside the collector (docs/backup.md, docs/adr/0021, docs/garbage.md), in small
 * scope. A region G publishes RECS - 1 records more, in term 1 or 2; the owner of term 1 may be a zombie.
 * A maker holds what G has. With BRANCH the hold is there, G has one owner, and a branch B begins with
 * what is held, uploads a file, publishes once, and has perhaps a branch of its own; then B is deleted.
 * Both clusters have a collector.
 *
 *   spin -a holds.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m300000
 *
 * Files are bits: 1, 2, 4 are G's, 8 is B's. The store dates the intent; that it gets too old for the
 * maker, and later for collectors, happens at any time.
 * Broken versions, -D...:
 *
 *   NO_INTENT            the collector does not look at intents
 *   HELD_BEFORE_ROOTS    it reads intents and backups before the reports
 *   BACKUPS_BEFORE_INTENTS  it reads backups before intents
 *   ASKED_BEFORE_INTENT  the maker asks the owner before it stores its intent
 *   INTENT_GONE_EARLY    it takes the intent away before the backup is stored
 *   ANY_OWNER            who answers the maker need not lead any more
 *   LATE_COUNTS          a backup that was stored too late counts
 * and with BRANCH:
 *   HOLD_GOES_FIRST      a branch's deletion lets go of the hold before its own objects
 *   DELETED_UNDER_BRANCH a branch is deleted that has a branch
 *   OWN_HOLDS_IGNORED    B's collector does not look at what B holds
 */
#define NONE 9
#ifndef RECS
#define RECS 2                  /* G's: 0 to begin with */
#endif
#define FILES RECS              /* G's */
#define B0 0
#define B1 1

/* G's prefix */
byte there = 1;
byte fileTerm[FILES], files = 1;
bool rec[RECS];
byte recTerm[RECS], recSet[RECS], recs = 1;
byte after[RECS];               /* how many files had been uploaded when it was stored: its date */

/* G's log, PD, reports */
byte gTerm = 1, gCur = 0;
byte pdTerm = 1, repTerm, rep;
byte known1 = 0, known2 = NONE; /* what the owners of either term know to be current */

/* the hold */
bool intent, late, old;
byte held = NONE;               /* what it holds; void ones hold nothing */

/* B's prefix; its record B1 names what it likes of B0, and its own file */
bool bFile, bRec[2], bBegun, bStopped;
byte bSet[2], bCur;
byte subHeld = NONE, subSet;    /* B's own branch, and what that names */

inline verify() {
    d_step {
        assert(rec[gCur] && !(recSet[gCur] & ~there));
        assert(held == NONE || (rec[held] && !(recSet[held] & ~there)));
        /* what a branch names of its parent is there as long as it is */
        assert(!bRec[B0] || !(bSet[B0] & 7 & ~there));
        assert(!bRec[B1] || !(bSet[B1] & 7 & ~there));
        assert(!bBegun || bStopped || (bRec[bCur] && (bFile || !(bSet[bCur] & 8))));
        assert(subHeld == NONE || bRec[subHeld]);
        assert(subHeld == NONE || (!(subSet & 7 & ~there) && (bFile || !(subSet & 8))))
    }
}

/* One publication at a time. */
proctype Owner(byte t) {
    byte parent, mine, f;
    if
    :: t == 1 -> parent = 0
    :: atomic { t == 2 && gTerm == 2 -> parent = gCur; known2 = gCur }
    fi;
end: do
    :: atomic { files < FILES ->
            f = files; files++; there = there | (1 << f); fileTerm[f] = t
        };
        if
        :: atomic { recs < RECS ->
                mine = recs; recs++; rec[mine] = true; after[mine] = files; recTerm[mine] = t;
                if
                :: recSet[mine] = 1 << f                        /* compacted */
                :: recSet[mine] = recSet[parent] | (1 << f)
                fi
            };
            atomic {
                if
                :: gTerm == t && gCur == parent ->
                    gCur = mine; parent = mine; verify();
                    if :: t == 1 -> known1 = mine :: else -> known2 = mine fi
                :: else -> break
                fi
            }
        :: true -> break
        fi
    od
}

proctype Pd() {
    pdTerm = 2;
    gTerm = 2
}

proctype Reports() {
end: do
    :: atomic { pdTerm == 1 && (repTerm != 1 || rep != known1) -> repTerm = 1; rep = known1 }
    :: atomic { known2 != NONE && (repTerm != 2 || rep != known2) -> repTerm = 2; rep = known2 }
    od
}

/* An owner that is sure to lead answers with what is current; the answer takes its time. */
inline ask() {
#ifdef ANY_OWNER
    if
    :: answer = known1
    :: known2 != NONE -> answer = known2
    fi
#else
    answer = gCur
#endif
}

proctype Maker() {
#ifndef BRANCH
    byte answer = NONE;
#ifdef ASKED_BEFORE_INTENT
    ask();
#endif
    intent = true;
#ifndef ASKED_BEFORE_INTENT
    if
    :: true -> ask()
    :: true -> goto end                 /* dies, and leaves its intent */
    fi;
#endif
    if :: rec[answer] :: !rec[answer] -> goto over fi;
#ifdef INTENT_GONE_EARLY
    intent = false;
#endif
    atomic {
#ifndef LATE_COUNTS
        if :: late -> goto over :: else fi;
#endif
        held = answer; verify()
    };
over:
    intent = false;
#else
    /* the branch begins, with what is held already */
    atomic { bRec[B0] = true; bSet[B0] = recSet[held]; bCur = B0; bBegun = true; verify() };
    run BranchOwner(); run BranchCollector(); run Sub();
    /* and ends: its processes first */
    bStopped = true;
#ifndef DELETED_UNDER_BRANCH
    subHeld == NONE;
#endif
#ifdef HOLD_GOES_FIRST
    held = NONE;
#endif
    atomic { bRec[B1] = false; verify() };
    atomic { bRec[B0] = false; verify() };
    atomic { bFile = false; verify() };
    held = NONE;
#endif
end: skip
}

proctype Time() {
end_begin:
    atomic { intent -> late = true };
    old = true
}

#ifdef BRANCH
proctype BranchOwner() {
    atomic { if :: !bStopped -> bFile = true :: else -> goto end fi };
    atomic {
        if
        :: !bStopped ->
            bRec[B1] = true;
            if :: bSet[B1] = 8 :: bSet[B1] = 8 | bSet[B0] fi
        :: else -> goto end
        fi
    };
    atomic { if :: !bStopped -> bCur = B1; verify() :: else fi };
end: skip
}

/* A branch of B: it holds what B has, while B runs, and is deleted some time. */
proctype Sub() {
    atomic { if :: !bStopped -> subHeld = bCur; subSet = bSet[bCur]; verify() :: else fi };
    atomic { subHeld = NONE; subSet = 0 };
end: skip
}

/* B's term does not change: its first record is dead when it has published, its file never is. */
proctype BranchCollector() {
    byte cut;
    bool dead;
    cut = bCur;
#ifdef OWN_HOLDS_IGNORED
    dead = cut == B1;
#else
    dead = cut == B1 && subHeld != B0;
#endif
    atomic { if :: dead && !bStopped -> bRec[B0] = false; verify() :: else fi };
end: skip
}

#endif

proctype Collector() {
    byte cTerm, c, n, kept = NONE, listed, seen, dead, marked, replaced, gone, i;
    listed = there;
#ifdef HELD_BEFORE_ROOTS
    !intent || old;
    kept = held;
#endif
    atomic { cTerm = repTerm; c = rep };
    n = pdTerm;
#ifndef HELD_BEFORE_ROOTS
#ifdef BACKUPS_BEFORE_INTENTS
    kept = held;
#endif
#ifndef NO_INTENT
    if :: intent && !old -> goto end :: else fi;
#endif
#ifndef BACKUPS_BEFORE_INTENTS
    kept = held;
#endif
#endif
    atomic { for (i : 0 .. RECS - 1) { if :: rec[i] -> seen = seen | (1 << i) :: else fi }; i = 0 };
    if :: cTerm != n -> goto end :: else fi;
    d_step {
        for (i : 0 .. RECS - 1) {
            if
            :: !(seen & (1 << i))
            :: else ->
                if
                :: i != c && i != kept && (recTerm[i] < n || (recTerm[c] == n && i < c)) ->
                    dead = dead | (1 << i);
                    if :: recTerm[i] == n -> replaced = replaced | recSet[i] :: else fi
                :: else -> marked = marked | recSet[i]
                fi
            fi
        };
        for (i : 0 .. FILES - 1) {
            if
            :: (listed & (1 << i)) && !(marked & (1 << i)) && (fileTerm[i] < n
                    || (recTerm[c] == n
                        && ((replaced & (1 << i)) || i < after[c]))) ->
                gone = gone | (1 << i)
            :: else
            fi
        };
        i = 0; cTerm = 0; c = 0; n = 0; kept = 0; listed = 0; seen = 0; marked = 0; replaced = 0
    };
    do
    :: dead -> atomic {
            for (i : 0 .. RECS - 1) {
                if :: dead & (1 << i) -> dead = dead & ~(1 << i); rec[i] = false; break :: else fi
            };
            i = 0; verify()
        }
    :: !dead && gone -> atomic {
            for (i : 0 .. FILES - 1) {
                if :: gone & (1 << i) -> gone = gone & ~(1 << i); there = there & ~(1 << i); break :: else fi
            };
            i = 0; verify()
        }
    :: !dead && !gone -> break
    od;
end: skip
}

init {
    atomic {
        fileTerm[0] = 1;
        rec[0] = true; after[0] = 1; recTerm[0] = 1; recSet[0] = 1;
        run Owner(1); run Reports(); run Maker(); run Collector();
#ifdef BRANCH
        held = 0
#else
        run Owner(2); run Pd(); run Time()
#endif
    }
}
