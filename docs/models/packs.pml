/*
 * Packs (docs/formats/pack.md, docs/garbage.md, proof 7), in small scope. Two regions publish
 * PUBS - 1 times more, each a file and a record, which wait to be packed: a pack takes any of what waits. A
 * pack may be stored, fail, or be stored though it seemed to fail; whoever has a place in one that
 * failed gives that publication up and makes another. One collector works meanwhile.
 *
 *   spin -a packs.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m300000
 *
 * An item is 2 * (region * PUBS + publication), the record of it one more; publication 0 is there to
 * begin with, in pack 0. A record names the file of its publication and perhaps that before. One term:
 * what terms do is the other models' subject. Broken versions, -D...:
 *
 *   ANY_DEAD        a pack is dead with its first dead member
 *   NOT_WAITED      a record is committed when its own pack is stored, whatever became of the file's
 *   PIPELINED       a file may be stored before the record of the publication before it
 */
#ifndef PUBS
#define PUBS 2
#endif
/* of the publications of a region: ALONE, the other publishes nothing more */
#ifdef ALONE
#define LAST(r) (PUBS - (PUBS - 1) * (r))
#else
#define LAST(r) PUBS
#endif
#define ITEMS (4 * PUBS)
#define PACKS 4
#define FILE(r, p) (2 * ((r) * PUBS + (p)))
#define RECORD(r, p) (2 * ((r) * PUBS + (p)) + 1)
#define REGION0 ((1 << (2 * PUBS)) - 1)
#define RECORDS 2730            /* every other item */
#define IN(set, x) ((set) & (1 << (x)))

int member[PACKS];              /* items of each pack, sets */
bool there[PACKS], tried[PACKS];
byte packs = 1;
byte stored;                    /* packs that have ever been stored */
byte earlier[PACKS];            /* those stored before: its date */
int waits;                      /* items that wait for a pack */
int good, bad;                  /* items that were stored, and whose pack failed as far as is known */
byte packOf[ITEMS];
byte cur[2];                    /* current publication of each region: its record */
bool both[2 * PUBS];            /* a record that names the file before, too */
byte before[2 * PUBS];          /* the publication that it followed */
byte rep[2];
int named;

inline needs(r, p) {
    assert(there[packOf[RECORD(r, p)]] && there[packOf[FILE(r, p)]]);
    assert(!both[(r) * PUBS + (p)] || there[packOf[FILE(r, before[(r) * PUBS + (p)])]])
}

inline verify() {
    d_step { needs(0, cur[0]); needs(1, cur[1]) }
}

proctype Owner(byte r) {
    byte p = 1;
end: do
    :: p == LAST(r) -> break
    :: p < LAST(r) ->
#ifdef PIPELINED
        atomic { if :: p + 1 < LAST(r) -> waits = waits | (1 << FILE(r, p + 1)) :: else fi };
#endif
        atomic {
            before[r * PUBS + p] = cur[r];
            /* a record names one file before its own: then that before is dropped */
            if :: both[r * PUBS + p] = true :: true fi;
            waits = waits | (1 << RECORD(r, p));
#ifdef PIPELINED
            if :: p == 1 -> waits = waits | (1 << FILE(r, p)) :: else fi
#else
            waits = waits | (1 << FILE(r, p))
#endif
        };
end_waits:
        if
        :: atomic { IN(good, RECORD(r, p)) && IN(good, FILE(r, p)) -> cur[r] = p; verify() }
#ifdef NOT_WAITED
        :: atomic { IN(good, RECORD(r, p)) -> cur[r] = p; verify() }
#endif
        :: IN(bad, RECORD(r, p)) || IN(bad, FILE(r, p))
        fi;
        p++
    od
}

/* Takes all or some of what waits; the answer comes later. */
proctype Packer() {
    byte k, i;
    int set;
end: do
    :: atomic { packs < PACKS && waits ->
            k = packs; packs++;
            if
            :: set = waits
            :: set = waits & REGION0
            :: set = waits & ~REGION0
            :: set = waits & RECORDS
            :: set = waits & ~RECORDS
            fi;
            for (i : 0 .. ITEMS - 1) {
                if :: IN(set, i) -> packOf[i] = k :: else fi
            };
            i = 0;
            member[k] = set; waits = waits & ~set
        };
        if
        :: atomic { there[k] = true; earlier[k] = stored; stored = stored | (1 << k); good = good | set; set = 0 }
        :: atomic { there[k] = true; earlier[k] = stored; stored = stored | (1 << k) }; atomic { bad = bad | set; set = 0 }
        :: atomic { bad = bad | set; set = 0 }
        fi
    od
}

proctype Reports() {
end: do
    :: atomic { rep[0] != cur[0] -> rep[0] = cur[0] }
    :: atomic { rep[1] != cur[1] -> rep[1] = cur[1] }
    od
}

proctype Collector() {
    byte c[2], first, second, k, r, p;
    int dead, seen, marked, replaced;
    bool whole;
    atomic { for (k : 0 .. PACKS - 1) { if :: there[k] -> first = first | (1 << k) :: else fi }; k = 0 };
    atomic { c[0] = rep[0]; c[1] = rep[1] };
    atomic {
        for (k : 0 .. PACKS - 1) {
            if :: there[k] -> second = second | (1 << k); seen = seen | member[k] :: else fi
        };
        k = 0
    };
    d_step {
        for (r : 0 .. 1) {
            for (p : 0 .. PUBS - 1) {
                if
                :: IN(seen, RECORD(r, p)) ->
                    named = 1 << FILE(r, p);
                    if :: both[r * PUBS + p] -> named = named | (1 << FILE(r, before[r * PUBS + p])) :: else fi;
                    if
                    :: p < c[r] -> dead = dead | (1 << RECORD(r, p)); replaced = replaced | named
                    :: else -> marked = marked | named
                    fi
                :: else
                fi
            }
        };
        for (r : 0 .. 1) {
            for (p : 0 .. PUBS - 1) {
                if
                :: (IN(seen, FILE(r, p)) && !IN(marked, FILE(r, p))
                        && (IN(replaced, FILE(r, p))
                            || IN(earlier[packOf[RECORD(r, c[r])]], packOf[FILE(r, p)]))) ->
                    dead = dead | (1 << FILE(r, p))
                :: else
                fi
            }
        };
        named = 0; p = 0; r = 0; k = 0; seen = 0; marked = 0; replaced = 0; c[0] = 0; c[1] = 0
    };
    first = first & second;
    second = 0;
    do
    :: first -> atomic {
            for (k : 0 .. PACKS - 1) {
                if
                :: first & (1 << k) ->
                    first = first & ~(1 << k);
#ifdef ANY_DEAD
                    whole = (member[k] & dead) != 0;
#else
                    whole = !(member[k] & ~dead);
#endif
                    if :: whole -> there[k] = false :: else fi;
                    break
                :: else
                fi
            };
            k = 0; whole = false; verify()
        }
    :: !first -> break
    od
}

init {
    atomic {
        member[0] = (1 << FILE(0, 0)) | (1 << RECORD(0, 0)) | (1 << FILE(1, 0)) | (1 << RECORD(1, 0));
        there[0] = true; stored = 1;
        run Owner(0); run Owner(1); run Packer(); run Reports(); run Collector()
    }
}
