/*
 * The log of one region: Open, Append, terms, leases and changes of voters, in small.
 * README.md says what is covered; check.sh runs it.
 *
 * Voters are 0..N-1, in masks 1<<v. A term is a leader of its own: PD gives each to one owner. A log is a
 * row of entries, each with its term and, if it is a config, the mask of its voters. A request is handled
 * and answered in one step, or lost. Time is left out: a voter's promise may end at any moment, and its
 * owner counts it up to that very moment, the worst that lease, drift bound and counting from the sending
 * allow.
 */
#ifndef N
#define N 4          /* WAL nodes */
#endif
#ifndef INIT
#define INIT 7       /* the first config: nodes 0, 1, 2 */
#endif
#ifndef T
#define T 3          /* terms */
#endif
#ifndef L
#define L 4          /* entries of a log */
#endif

#define IDLE 0
#define OPENING 1
#define OWNING 2     /* completing, and leading when its own no-op is committed */
#define ENDED 3

/* Voters: durable. */
byte term[N];
byte waits[N];       /* pending term: from now on the lease is not extended */
byte promised[N];    /* the term whose lease runs here; 0: none */
bit known[N];        /* Create has reached it, and it is not retired */
bit learner[N];      /* it may lack what it acknowledged: does not count towards an Open */
byte vlen[N];
byte vt[N * L];      /* terms of its entries */
byte vc[N * L];      /* configs of its entries; 0: none */

/* Leaders, one for each term. */
byte phase[T + 1];
byte opened[T + 1];  /* mask of voters that count */
#ifdef IGNORED_LEASE
byte view[T + 1];    /* mask of voters whose promise this leader counts */
#endif
byte llen[T + 1];
byte lt[(T + 1) * L];
byte lc[(T + 1) * L];
byte noop[T + 1];    /* place of the own no-op, from 1 */
byte commit[T + 1];
byte match[(T + 1) * N];
byte learns[T + 1];  /* the node that is to be added, +1; 0: none */

/* What anybody ever counted. */
byte done;
byte ct[L];
byte cc[L];
byte highest;        /* the highest term that has committed anything */

#define IN(mask, v) (((mask) >> (v)) & 1)
#ifdef IGNORED_LEASE
#define PROMISE(t, v) promised[v] = t; view[t] = view[t] | (1 << v)
#define COUNTED(t, v) IN(view[t], v)
#else
#define PROMISE(t, v) promised[v] = t
#define COUNTED(t, v) (promised[v] == t)
#endif

inline size(mask, out) {
    out = 0; k = 0;
    do :: k < N -> out = out + IN(mask, k); k++ :: else -> break od
}

/* The config at the end of a leader's log, and where it stands (0: it is the first). */
inline config(t, out, at) {
    out = INIT; at = 0; k = 0;
    do
    :: k < llen[t] ->
        if :: lc[t * L + k] != 0 -> out = lc[t * L + k]; at = k + 1 :: else fi;
        k++
    :: else -> break
    od
}

inline majority(mask, whole, out) {
    size((mask) & (whole), a); size(whole, b); out = (2 * a > b)
}

/* A voter is asked for term t; its log is taken if it is the best so far. */
inline open(t, v) {
    if
#ifndef IGNORED_LEASE
    :: promised[v] != 0 && promised[v] != t ->
        if :: t > waits[v] -> waits[v] = t :: else fi
#endif
    :: else ->
        term[v] = t; waits[v] = 0; PROMISE(t, v);
#ifdef LEARNER_COUNTS
        opened[t] = opened[t] | (1 << v);
#else
        if :: !learner[v] -> opened[t] = opened[t] | (1 << v) :: else fi;
#endif
        a = 0; b = 0;
        if :: vlen[v] > 0 -> a = vt[v * L + vlen[v] - 1] :: else fi;
        if :: llen[t] > 0 -> b = lt[t * L + llen[t] - 1] :: else fi;
        if
        :: a > b || (a == b && vlen[v] > llen[t]) ->
            k = 0;
            do
            :: k < vlen[v] ->
                lt[t * L + k] = vt[v * L + k]; lc[t * L + k] = vc[v * L + k]; k++
            :: else -> break
            od;
            llen[t] = vlen[v]
        :: else
        fi;
        /* Beyond the end there is nothing: keeps equal states equal. */
        k = llen[t];
        do :: k < L -> lt[t * L + k] = 0; lc[t * L + k] = 0; k++ :: else -> break od
    fi
}

/* The log is that of a majority of its own config: it has all that lower terms have committed. */
inline adopt(t) {
    phase[t] = OWNING;
    k = 0;
    do
    :: k < done && t > highest ->
        assert(k < llen[t] && lt[t * L + k] == ct[k] && lc[t * L + k] == cc[k]); k++
    :: else -> break
    od;
    lt[t * L + llen[t]] = t; lc[t * L + llen[t]] = 0; llen[t] = llen[t] + 1; noop[t] = llen[t]
}

/* One entry more for a voter: the first that it lacks, or has otherwise. */
inline append(t, v) {
    if
    :: term[v] > t -> phase[t] = ENDED
    :: term[v] < t && promised[v] != 0 -> if :: t > waits[v] -> waits[v] = t :: else fi
    :: else ->
        if :: term[v] < t -> term[v] = t; waits[v] = 0 :: else fi;
        if :: waits[v] == 0 -> PROMISE(t, v) :: else fi;
        k = 0;
        do
        :: k < vlen[v] && k < llen[t] && vt[v * L + k] == lt[t * L + k] -> k++
        :: else -> break
        od;
        if
        :: k < llen[t] ->
            vt[v * L + k] = lt[t * L + k]; vc[v * L + k] = lc[t * L + k]; k++; vlen[v] = k;
            a = k;
            do :: a < L -> vt[v * L + a] = 0; vc[v * L + a] = 0; a++ :: else -> break od
        :: else
        fi;
        match[t * N + v] = k;
        if :: learner[v] && commit[t] >= noop[t] && k >= commit[t] -> learner[v] = 0 :: else fi
    fi
}

/* Counts: the furthest entry of the own term that a majority of the config in force has. */
inline count(t) {
    config(t, c, at);
    i = llen[t];
    do
#ifdef COUNT_OLDER_TERMS
    :: i > commit[t] ->
#else
    :: i > commit[t] && i >= noop[t] ->
#endif
        m = 0; k = 0;
        do
        :: k < N -> if :: match[t * N + k] >= i -> m = m | (1 << k) :: else fi; k++
        :: else -> break
        od;
        majority(m, c, ok);
        if :: ok -> break :: else -> i-- fi
    :: else -> i = 0; break
    od;
    if
    :: i > 0 ->
        commit[t] = i; k = 0;
        do
        :: k < i ->
            if
            :: k < done -> assert(ct[k] == lt[t * L + k] && cc[k] == lc[t * L + k])
            :: else -> ct[k] = lt[t * L + k]; cc[k] = lc[t * L + k]
            fi;
            k++
        :: else -> break
        od;
        if :: i > done -> done = i :: else fi;
        if :: t > highest -> highest = t :: else fi
    :: else
    fi
}

/* Nobody reads under a lease when a higher term has committed anything. */
inline leases() {
    x = 1;
    do
    :: x < highest ->
        if
        :: phase[x] == OWNING && noop[x] > 0 && commit[x] >= noop[x] ->
            config(x, c, at); m = 0; k = 0;
            do
            :: k < N -> if :: COUNTED(x, k) -> m = m | (1 << k) :: else fi; k++
            :: else -> break
            od;
            majority(m, c, ok); assert(!ok)
        :: else
        fi;
        x++
    :: else -> break
    od
}

#if defined(NO_CHANGES)
#define MAY_CHANGE(t) false
#elif defined(CHANGE_BEFORE_OWN_COMMIT)
#define MAY_CHANGE(t) (phase[t] == OWNING)
#else
#define MAY_CHANGE(t) (phase[t] == OWNING && commit[t] >= noop[t])
#endif

proctype Leader(byte t) {
    byte v, k, a, b, c, at, i, m, x;
    bit ok;
    atomic { phase[t] == IDLE -> phase[t] = OPENING };
    do
    :: atomic { phase[t] == OPENING ->
            select(v : 0 .. (N - 1));
            if :: known[v] && term[v] < t && waits[v] <= t -> open(t, v); leases() :: else fi;
            k = 0; a = 0; b = 0; c = 0; at = 0; v = 0; ok = 0 }
    :: atomic { phase[t] == OPENING && opened[t] != 0 && llen[t] < L ->
            config(t, c, at); majority(opened[t], c, ok);
            if :: ok -> adopt(t) :: else fi;
            k = 0; a = 0; b = 0; c = 0; at = 0; ok = 0 }
    :: atomic { phase[t] == OWNING ->
            select(v : 0 .. (N - 1));
            config(t, c, at);
            if
            :: known[v] && (IN(c, v) || learns[t] == v + 1) -> append(t, v); count(t); leases()
            :: else
            fi;
            k = 0; a = 0; b = 0; c = 0; at = 0; i = 0; m = 0; x = 0; v = 0; ok = 0 }
    :: atomic { MAY_CHANGE(t) && llen[t] < L ->
            config(t, c, at);
            select(v : 0 .. (N - 1));
            if
#ifndef OVERLAPPING_CHANGES
            :: at > commit[t] -> skip
#endif
            :: else ->
                if
                :: IN(c, v) && c != (1 << v) ->
                    m = c & ~(1 << v);
#ifdef TWO_NODES_AT_ONCE
                    if :: learns[t] != 0 && !IN(c, learns[t] - 1) -> m = m | (1 << (learns[t] - 1))
                       :: skip fi;
#endif
                    lt[t * L + llen[t]] = t; lc[t * L + llen[t]] = m; llen[t] = llen[t] + 1
                :: !IN(c, v) && learns[t] == v + 1 && !learner[v] &&
                        commit[t] > 0 && match[t * N + v] >= commit[t] ->
                    lt[t * L + llen[t]] = t; lc[t * L + llen[t]] = c | (1 << v);
                    llen[t] = llen[t] + 1
                :: !IN(c, v) && learns[t] == 0 ->
                    learns[t] = v + 1;
                    if :: !known[v] -> known[v] = 1; learner[v] = 1 :: else fi
                :: !IN(c, v) && at <= commit[t] && commit[t] >= noop[t] &&
                        known[v] && term[v] <= t && learns[t] != v + 1 &&
                        (promised[v] == 0 || promised[v] == t) ->
                    /* Retire: what it acknowledged is gone. */
                    known[v] = 0; promised[v] = 0; learner[v] = 0; vlen[v] = 0; match[t * N + v] = 0; k = 0;
                    do :: k < L -> vt[v * L + k] = 0; vc[v * L + k] = 0; k++ :: else -> break od
                :: else
                fi
            fi;
            count(t); leases();
            k = 0; a = 0; b = 0; c = 0; at = 0; i = 0; m = 0; x = 0; v = 0; ok = 0 }
    :: atomic { phase[t] == OPENING || phase[t] == OWNING -> /* crash, release, or a higher term */
            phase[t] = ENDED }
    :: atomic { phase[t] == ENDED -> /* keeps equal states equal */
            k = 0;
            do :: k < L -> lt[t * L + k] = 0; lc[t * L + k] = 0; k++ :: else -> break od;
            k = 0;
            do :: k < N -> match[t * N + k] = 0; k++ :: else -> break od;
            k = 0; opened[t] = 0; llen[t] = 0; noop[t] = 0; commit[t] = 0; learns[t] = 0; break }
    od
}

/* Promises end. */
proctype Clock() {
    byte v;
    end: do
    :: atomic {
            select(v : 0 .. (N - 1));
            if
            :: promised[v] != 0 ->
#ifdef IGNORED_LEASE
                view[promised[v]] = view[promised[v]] & ~(1 << v);
#endif
                promised[v] = 0
            :: else
            fi;
            v = 0 }
    od
}

init {
    byte v;
    atomic {
        v = 0;
        do
        :: v < N -> known[v] = IN(INIT, v); v++
        :: else -> break
        od;
        v = 1;
        do
        :: v <= T -> run Leader(v); v++
        :: else -> break
        od;
        run Clock()
    }
}
