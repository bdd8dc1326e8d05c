#!/usr/bin/env bash
# Checks the models with Spin (apt install spin gcc): each in a few scopes, completely, and then broken
# versions, each of which must be found. Needs about 4 GB. Usage: docs/models/check.sh [SECONDS [MODEL]]
set -u
models=$(cd "$(dirname "$0")" && pwd)
seconds=${1:-600}
only=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0

# run MODEL NAME EXPECTED SCOPE...: EXPECTED is the number of errors
run() {
    local model=$1 name=$2 expected=$3 told=
    shift 3
    [ -z "$only" ] || [ "$only" = "$model" ] || return
    local flags='-O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -DVECTORSZ=2048'
    # shellcheck disable=SC2086
    if ! spin -a "$@" "$models/$model.pml" > spin.log || ! gcc $flags -o pan pan.c; then
        cat spin.log
        exit 1
    fi
    timeout "$seconds" ./pan -m300000 > pan.log 2>&1
    told=$(grep -o 'errors: [0-9]*' pan.log)
    echo "$name ($*): ${told:-not finished in $seconds s}, $(grep -o '[0-9.e+]* states, stored' pan.log || echo '')"
    [ "$told" = "errors: $expected" ] || status=1
    # A model that gets stuck is no model: what is found must be a promise that is broken.
    [ "$expected" = 0 ] || grep -q 'assertion violated' pan.log || status=1
}

run region-log 'two voters and one to be added' 0 -DN=3 -DINIT=3 -DT=2 -DL=3
run region-log 'three voters' 0 -DN=3 -DINIT=7 -DT=2 -DL=3
run region-log 'lease ignored' 1 -DN=3 -DINIT=7 -DT=2 -DL=2 -DIGNORED_LEASE
run region-log 'overlapping changes' 1 -DN=3 -DINIT=7 -DT=2 -DL=4 -DOVERLAPPING_CHANGES

commits='-DK=2 -DREADERS=1 -DMOVES=2'
one_phase='-DK=1 -DREADERS=2 -DMOVES=2 -DONE_PHASE'
# shellcheck disable=SC2086
{
    run commit-ts 'asynchronous commit' 0 $commits
    run commit-ts 'one-phase commit' 0 $one_phase
    for bug in TIMESTAMP_BEFORE_RELEASE NO_TIMESTAMP NO_HELD HELD_ENDS_EARLY LOOK_BEFORE_RAISE NO_RAISE AT_MAX_TS; do
        run commit-ts 'broken' 1 $commits -D$bug
        run commit-ts 'broken' 1 $one_phase -D$bug
    done
}

run merge 'merge and its garbage' 0
for bug in RECORD_AFTER_SEAL COMMIT_BEFORE_SEAL UNKNOWN_IS_VOID ISSUED_IS_SHOWN REPORT_OF_ANY_TERM TOLD_EARLY \
        NAMED_OR_NOT LIST_BEFORE_ROOTS; do
    run merge 'broken' 1 -D$bug
done

run garbage 'a zombie and a split' 0 -DSTEPS=3
for bug in ORDER INFLIGHT TERM LIST; do
    run garbage 'broken' 1 -DSTEPS=3 -DPLANT_$bug
done

run holds 'backups' 0
for bug in NO_INTENT HELD_BEFORE_ROOTS BACKUPS_BEFORE_INTENTS ASKED_BEFORE_INTENT INTENT_GONE_EARLY ANY_OWNER \
        LATE_COUNTS; do
    run holds 'broken' 1 -D$bug
done
run holds 'branches' 0 -DBRANCH
for bug in HOLD_GOES_FIRST DELETED_UNDER_BRANCH OWN_HOLDS_IGNORED; do
    run holds 'broken' 1 -DBRANCH -D$bug
done

run packs 'two regions in packs' 0
run packs 'one of them, twice' 0 -DALONE -DPUBS=3
for bug in ANY_DEAD NOT_WAITED; do
    run packs 'broken' 1 -D$bug
done
run packs 'broken' 1 -DALONE -DPUBS=3 -DPIPELINED
exit $status
