#!/usr/bin/env bash
# Checks region-log.pml with Spin (apt install spin gcc): the protocol in a few scopes, completely, and then
# broken versions, each of which must be found. Needs about 4 GB. Usage: docs/models/check.sh [SECONDS]
set -u
model=$(cd "$(dirname "$0")" && pwd)/region-log.pml
seconds=${1:-600}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0

# run NAME EXPECTED SCOPE...: EXPECTED is the number of errors
run() {
    local name=$1 expected=$2 told=
    shift 2
    local flags='-O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -DVECTORSZ=2048'
    # shellcheck disable=SC2086
    if ! spin -a "$@" "$model" > spin.log || ! gcc $flags -o pan pan.c; then
        cat spin.log
        exit 1
    fi
    timeout "$seconds" ./pan -m300000 > pan.log 2>&1
    told=$(grep -o 'errors: [0-9]*' pan.log)
    echo "$name ($*): ${told:-not finished in $seconds s}, $(grep -o '[0-9.e+]* states, stored' pan.log || echo '')"
    [ "$told" = "errors: $expected" ] || status=1
}

run 'two voters and one to be added' 0 -DN=3 -DINIT=3 -DT=2 -DL=3
run 'three voters' 0 -DN=3 -DINIT=7 -DT=2 -DL=3
run 'lease ignored' 1 -DN=3 -DINIT=7 -DT=2 -DL=2 -DIGNORED_LEASE
run 'overlapping changes' 1 -DN=3 -DINIT=7 -DT=2 -DL=4 -DOVERLAPPING_CHANGES
exit $status
