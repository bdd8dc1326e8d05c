/*
 * Asynchronous and one-phase commit while regions move: who chooses a commit timestamp, and above what.
 * README.md says what is covered; check.sh runs it.
 *
 * Regions 0..K-1 hold one key each, stores are 0 and 1. One transaction writes all keys; readers read all of
 * them at one timestamp. A step is what happens under one lock or in one batch. Leases are taken as given:
 * only the owner of the moment takes a snapshot or appends.
 */
#ifndef K
#define K 2          /* regions; 1 for a one-phase commit */
#endif
#ifndef READERS
#define READERS 2
#endif
#ifndef MOVES
#define MOVES 2
#endif
#define UNKNOWN 255

byte tso = 1;        /* PD's next timestamp */

/* Stores, in memory. */
byte maxts[2];
byte held[2 * K];    /* minimum commit timestamp of the lock of a prewrite under way; 0: none */

/* Regions, durable. */
bit owner[K];
byte term[K];
byte lock[K];        /* minimum commit timestamp of the transaction's lock; 0: none */
byte write[K];       /* commit timestamp of its write; 0: none */
byte pending[K];     /* appended and not applied: a lock, or the write of a one-phase commit */
byte synced[K];      /* the last term in which the owner has taken a timestamp */

/* What anybody was told. */
byte committed;      /* commit timestamp, once all locks are there */
byte readAt[READERS];
byte saw[READERS];   /* mask of keys */
bit read[READERS];

#define AT(s, k) ((s) * K + (k))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define ALL ((1 << K) - 1)

inline now(out) { atomic { out = tso; tso++ } }

inline raise(s, ts) { if :: maxts[s] < ts -> maxts[s] = ts :: else fi }

inline apply(k) {
#ifdef ONE_PHASE
    write[k] = pending[k];
#else
    lock[k] = pending[k];
#endif
    pending[k] = 0
}

/* The entry of an owner that goes may be in the log of the next, or not. */
inline leave(k) {
    if
    :: pending[k] != 0 -> if :: apply(k) :: pending[k] = 0 fi
    :: else
    fi;
    owner[k] = 1 - owner[k]; term[k]++
}

proctype Mover() {
    byte ts, moves, k;
    do
    :: moves < MOVES ->
        moves++;
        select(k : 0 .. K - 1);
#ifdef TIMESTAMP_BEFORE_RELEASE
        now(ts);
#endif
        atomic { leave(k) };
#ifndef TIMESTAMP_BEFORE_RELEASE
        now(ts);
#endif
#ifndef NO_TIMESTAMP
        atomic { raise(owner[k], ts); synced[k] = term[k] }
#else
        synced[k] = term[k]
#endif
    :: else -> break
    od
}

proctype Writer() {
    byte start, k, t, min, r, commit;
    bit s;
    now(start);
    k = 0;
    do
    :: k < K ->
        if
        :: atomic { lock[k] != 0 -> min = lock[k] }             /* sent again: it is there */
#ifdef ONE_PHASE
        :: atomic { write[k] != 0 -> min = write[k] }
#endif
        :: atomic {
            lock[k] == 0 && write[k] == 0 && synced[k] == term[k] ->
            s = owner[k]; t = term[k];
#ifndef NO_HELD
            held[AT(s, k)] = UNKNOWN
#endif
           };
            /* Its lock is entered; only then does it look at what was read. */
#ifdef AT_MAX_TS
            min = MAX(maxts[s], start + 1);
#else
            min = MAX(maxts[s], start) + 1;
#endif
#ifndef NO_HELD
            held[AT(s, k)] = min;
#endif
            if
            :: atomic { term[k] == t -> pending[k] = min };
#ifdef HELD_ENDS_EARLY
                held[AT(s, k)] = 0;
#endif
                if
                :: atomic { term[k] == t -> apply(k) }
                :: term[k] != t
                fi
            :: term[k] != t
            fi;
            held[AT(s, k)] = 0;
            if :: lock[k] == 0 && write[k] == 0 -> goto again :: else fi;
#ifdef ONE_PHASE
            min = write[k]
#else
            min = lock[k]
#endif
        fi;
        commit = MAX(commit, min);      /* the highest of all keys */
        k++;
again:  skip
    :: else -> break
    od;
    atomic {
        committed = commit;
        r = 0;
        do
        :: r < READERS -> assert(!read[r] || (saw[r] == (committed <= readAt[r] -> ALL : 0))); r++
        :: else -> break
        od
    };
    k = 0;
    do
    :: k < K -> atomic { write[k] = committed; lock[k] = 0; k++ }
    :: else -> break
    od
}

proctype Reader(byte r) {
    byte ts, k, t;
    bit s;
    now(ts);
    readAt[r] = ts;
    do
    :: k < K ->
        atomic { s = owner[k]; t = term[k] };
#ifdef LOOK_BEFORE_RAISE
        held[AT(s, k)] == 0 || (held[AT(s, k)] != UNKNOWN && held[AT(s, k)] > ts);
        atomic { raise(s, ts) };
#else
#ifndef NO_RAISE
        atomic { raise(s, ts) };
#endif
        held[AT(s, k)] == 0 || (held[AT(s, k)] != UNKNOWN && held[AT(s, k)] > ts);
#endif
        if
        :: term[k] != t                                          /* the lease is over: look again */
        :: atomic {
            term[k] == t && !(lock[k] != 0 && lock[k] <= ts) ->
            if :: write[k] != 0 && write[k] <= ts -> saw[r] = saw[r] | (1 << k) :: else fi;
            k++
           }
        fi
    :: else -> break
    od;
    atomic {
        read[r] = 1;
        assert(committed == 0 || (saw[r] == (committed <= ts -> ALL : 0)))
    }
}

init {
    byte i;
    atomic {
        i = 0;
        do :: i < K -> owner[i] = i % 2; i++ :: else -> break od;
        run Writer(); run Mover();
        i = 0;
        do :: i < READERS -> run Reader(i); i++ :: else -> break od
    }
}
