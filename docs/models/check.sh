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
exit $status
