#!/usr/bin/env bash
# The differential tests and the sequences of operations with fresh random values, round after round, until the time
# is up or one fails. usage: tools/fuzz.sh [MINUTES] [plain|asan|ubsan]
#   plain  the build that `make test` uses
#   asan   a build with AddressSanitizer and UndefinedBehaviorSanitizer (tools/sanitized.sh)
#   ubsan  the latter alone: faster
# VENV names the environment (.venv), EXAMPLES how many of them a test tries in a round (300), ARGS goes to pytest,
# instead of which tests to run. Every round prints its seed; ARGS='--hypothesis-seed=SEED -x tests/...' repeats it.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-5} mode=${2:-plain}
[ -n "${VENV:-}" ] || tools/env.sh .venv test
python=$(cd "${VENV:-.venv}/bin" && pwd)/python
tests=(tests/matrix/test_differential.py tests/matrix/test_sequences.py)

case $mode in
    plain)
        "$python" setup.py -q build_ext --inplace
        run=(env PYTHONPATH=src "$python" -X faulthandler)
        ;;
    asan | ubsan) run=(tools/sanitized.sh "$mode") ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
export VENV="${VENV:-.venv}" THOROUGH="${EXAMPLES:-300}"

"${run[@]}" -c '' # compiles, outside of the minutes

end=$((SECONDS + 60 * minutes)) round=0
while [ $SECONDS -lt $end ]; do
    round=$((round + 1))
    seed=$((RANDOM * 32768 + RANDOM))
    printf 'round %d, seed %d\n' $round $seed
    status=0
    # shellcheck disable=SC2086
    timeout $((end - SECONDS)) "${run[@]}" -m pytest -q -x --tb=short \
        -p no:cacheprovider --hypothesis-seed=$seed ${ARGS:-"${tests[@]}"} || status=$?
    if [ $status -ne 0 ] && [ $status -ne 124 ]; then
        printf 'failed with seed %d\n' $seed
        exit 1
    fi
done
printf '%d rounds in %d minutes, nothing found\n' $round "$minutes"
