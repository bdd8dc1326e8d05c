/*
 * The collection of garbage (docs/garbage.md), in small scope: one region G with two terms, one child
 * C split off it, two files, one collector with stale reports. Objects carry a store time (order of
 * their creation); the collector's steps interleave with everything.
 *
 *   spin -a -DSTEPS=3 garbage.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m300000
 *
 * With three steps for each owner that is complete. With five, 27 million states were searched once
 * (1.2 GB, depth 86) and nothing was found; it does not get to the end. Each of these breaks one rule
 * and is found with three steps: PLANT_ORDER (regions are read before reports), PLANT_INFLIGHT
 * (uploads in flight are taken for dead), PLANT_TERM (a report of the old term counts for the new
 * one), PLANT_LIST (records are listed before the roots are read).
 *
 * Files are bits of a set. A record is a set of files, with term and time. Records of G are numbered by
 * order of writing; C's first record is separate. verify() asserts that what the logs need is there.
 */
#ifndef FILES
#define FILES 2
#endif
#ifndef RECS
#define RECS 2
#endif
#ifndef STEPS
#define STEPS 5
#endif
#define NONE 255

byte clock;                 /* the object store's */
byte v;

#ifndef ROUNDS
#define ROUNDS 1
#endif

/* the bucket */
bool fileThere[FILES];  byte fileTime[FILES];  byte fileTerm[FILES];
bool recThere[RECS];    byte recTime[RECS];    byte recTerm[RECS];  byte recSet[RECS];
bool firstThere;        byte firstTime;        byte firstSet;
byte files, recs;           /* how many have been made */

/* the truth of G's log */
byte term = 1;              /* that may commit */
byte current = NONE;
bool pending;               /* the child is pinned by G */
bool childBorn;             /* the split is committed */

/* PD */
byte pdTerm = 1;
bool pdChild;
byte repTerm = 0;  byte repCurrent = NONE;  bool repPending;

inline verify() {
    d_step {
        assert(current == NONE || recThere[current]);
        v = 0;
        do
        :: v < FILES ->
            assert(!(current != NONE && (recSet[current] & (1 << v)) && !fileThere[v]));
            assert(!(childBorn && (firstSet & (1 << v)) && !fileThere[v]));
            v++
        :: else -> break
        od;
        assert(!childBorn || firstThere);
        v = 0
    }
}

/* An owner of G in term T: uploads, publishes, perhaps splits; may go on when it is replaced. */
proctype Owner(byte T) {
    byte set = 0; byte mine = NONE; byte parent = NONE; bool splitting = false;
    byte steps = 0;
end_start:
    atomic { term == T; parent = current; if :: current != NONE -> set = recSet[current] :: else fi };
end:
    do
    :: steps >= STEPS -> break
    :: atomic { steps < STEPS && files < FILES -> /* upload a file */
            fileThere[files] = true; clock++; fileTime[files] = clock; fileTerm[files] = T;
            set = set | (1 << files); files++; steps++
        }
    :: atomic { steps < STEPS && !splitting && set != 0 && mine == NONE -> /* compaction drops what is there */
            if
            :: (set & 1) -> set = set & ~1
            :: (set & 2) -> set = set & ~2
            :: else
            fi; steps++
        }
    :: atomic { steps < STEPS && !splitting && mine == NONE && recs < RECS -> /* put a record of it */
            mine = recs; recs++; recThere[mine] = true; clock++; recTime[mine] = clock;
            recTerm[mine] = T; recSet[mine] = set; steps++
        }
    :: atomic { mine != NONE -> /* its ManifestCommit */
            if
            :: term == T && current == parent -> current = mine; parent = mine; verify()
            :: else -> steps = STEPS                             /* fenced */
            fi;
            mine = NONE
        }
    :: atomic { steps < STEPS && mine == NONE && !splitting && !firstThere && firstTime == 0 && set != 0 ->                                              /* the child's first record */
            splitting = true; firstThere = true; clock++; firstTime = clock; firstSet = set; steps++
        }
    :: atomic { splitting -> 
            if
            :: term == T -> childBorn = true; pending = true; verify()
            :: true -> skip                                  /* given up, or fenced */
            fi;
            splitting = false
        }
    :: atomic { steps < STEPS && term == T -> /* report */ if :: pdTerm == T -> repTerm = T; repCurrent = current; repPending = pending :: else fi;
                 steps++ }
    :: atomic { steps < STEPS && term == T && pending && !pdChild ->  pdChild = true; steps++ }
    :: atomic { steps < STEPS && term == T && pending && pdChild ->  pending = false; steps++ }
    od
}

proctype Pd() {
    pdTerm = 2;         /* issued */
    term = 2            /* opened: nothing of term 1 is committed from here on */
}

proctype Collector() {
    byte cTerm, cRepTerm, cCurrent; bool cPending, cChild;
    byte listed; bool recSeen[RECS]; bool recDead[RECS]; bool firstSeen; byte i, marked, replaced; bool dead, firstDead;
    byte round = 0;
    do
    :: round == ROUNDS -> break
    :: else ->
        round++;
        listed = files;
#ifdef PLANT_LIST
        atomic { i = 0; do :: i < RECS -> recSeen[i] = recThere[i]; recDead[i] = false; i++ :: else -> break od; firstSeen = firstThere }
#endif
#ifdef PLANT_ORDER
        cChild = pdChild;
        atomic { cTerm = pdTerm; cRepTerm = repTerm; cCurrent = repCurrent; cPending = repPending };
#else
        atomic { cRepTerm = repTerm; cCurrent = repCurrent; cPending = repPending };
        atomic { cTerm = pdTerm; cChild = pdChild };
#endif
#ifdef PLANT_TERM
        cRepTerm = cTerm;
#endif
#ifndef PLANT_LIST
        atomic { i = 0; do :: i < RECS -> recSeen[i] = recThere[i]; recDead[i] = false; i++ :: else -> break od; firstSeen = firstThere };
#endif
        if
        :: cRepTerm != cTerm || cCurrent == NONE -> skip     /* unsettled: everything counts */
        :: else ->
            /* the child's first record: never became a region */
            firstDead = firstSeen && !cPending && !cChild && firstTime < recTime[cCurrent];
            d_step {
                marked = 0; replaced = 0; i = 0;
                do
                :: i < RECS ->
                    if
                    :: recSeen[i] && i != cCurrent &&
                       (recTerm[i] < cTerm || (recTerm[i] == recTerm[cCurrent] && i < cCurrent)) ->
                        if :: recTerm[i] == cTerm -> replaced = replaced | recSet[i] :: else fi;
                        recDead[i] = true
                    :: recSeen[i] && !(i != cCurrent &&
                       (recTerm[i] < cTerm || (recTerm[i] == recTerm[cCurrent] && i < cCurrent))) ->
                        marked = marked | recSet[i]
                    :: else
                    fi;
                    i++
                :: else -> break
                od;
                if :: firstSeen && !firstDead -> marked = marked | firstSet :: else fi
            };
            /* records first */
            if :: firstDead -> firstThere = false; verify() :: else fi;
            i = 0;
            do
            :: i < RECS ->
                atomic {
                    if
                    :: recDead[i] -> recThere[i] = false; verify()
                    :: else
                    fi;
                    i++
                }
            :: else -> break
            od;
            i = 0;
            do
            :: i < listed ->
                atomic {
                    dead = fileThere[i] && !(marked & (1 << i));
#ifdef PLANT_INFLIGHT
                    skip;
#else
                    dead = dead && (fileTerm[i] < cTerm ||
                        (recTerm[cCurrent] == cTerm &&
                            ((replaced & (1 << i)) || fileTime[i] < recTime[cCurrent])));
#endif
                    if :: dead -> fileThere[i] = false; verify() :: else fi;
                    i++
                }
            :: else -> break
            od
        fi
    od
}

init {
    atomic { run Owner(1); run Owner(2); run Pd(); run Collector() };
    timeout -> verify()
}
