#!/usr/bin/env bash
# The differential tests and the sequences of operations with fresh random values, round after round, until the time
# is up or one fails. usage: tools/fuzz.sh [MINUTES] [plain|asan|ubsan]
#   plain  the build that `make test` uses
#   asan   a build with AddressSanitizer and UndefinedBehaviorSanitizer, in a folder of its own (gcc)
#   ubsan  the latter alone: faster
# VENV names the environment (.venv), EXAMPLES how many of them a test tries in a round (300), ARGS goes to pytest,
# instead of which tests to run. Every round prints its seed; ARGS='--hypothesis-seed=SEED -x tests/...' repeats it.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-5} mode=${2:-plain}
[ -n "${VENV:-}" ] || tools/env.sh .venv test
python=$(cd "${VENV:-.venv}/bin" && pwd)/python
tests=(tests/matrix/test_differential.py tests/matrix/test_sequences.py)
run=(env)

# The package with an extension module compiled with $2, in $1.
build_into() {
    local folder=$1
    shift
    mkdir -p "$folder/bocmat"
    cp src/bocmat/*.py "$folder/bocmat"
    CC=gcc CFLAGS="-g -fno-omit-frame-pointer $*" LDFLAGS="$*" \
        "$python" setup.py -q build_ext --build-lib "$folder" --build-temp "$folder/objects"
}

case $mode in
    plain)
        "$python" setup.py -q build_ext --inplace
        folder=src
        ;;
    asan)
        folder=build/asan
        build_into "$folder" -fsanitize=address,undefined -fno-sanitize-recover=undefined
        run+=("LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)")
        run+=("ASAN_OPTIONS=detect_leaks=0")
        ;;
    ubsan)
        folder=build/ubsan
        build_into "$folder" -fsanitize=undefined -fno-sanitize-recover=undefined
        ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
if [ "$mode" != plain ]; then
    run+=("LD_LIBRARY_PATH=$("$python" -c 'import scipy_openblas32 as wheel; print(wheel.get_lib_dir())')")
fi
run+=("PYTHONPATH=$folder" "THOROUGH=${EXAMPLES:-300}")

end=$((SECONDS + 60 * minutes)) round=0
while [ $SECONDS -lt $end ]; do
    round=$((round + 1))
    seed=$((RANDOM * 32768 + RANDOM))
    printf 'round %d, seed %d\n' $round $seed
    status=0
    # shellcheck disable=SC2086
    timeout $((end - SECONDS)) "${run[@]}" "$python" -X faulthandler -m pytest -q -x --tb=short \
        -p no:cacheprovider --hypothesis-seed=$seed ${ARGS:-"${tests[@]}"} || status=$?
    if [ $status -ne 0 ] && [ $status -ne 124 ]; then
        printf 'failed with seed %d\n' $seed
        exit 1
    fi
done
printf '%d rounds in %d minutes, nothing found\n' $round "$minutes"
