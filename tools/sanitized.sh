#!/usr/bin/env bash
# Runs Python with the package compiled with sanitizers, in a folder of its own (gcc).
# usage: tools/sanitized.sh asan|ubsan ARGUMENTS-OF-PYTHON...
#   asan   AddressSanitizer and UndefinedBehaviorSanitizer
#   ubsan  the latter alone: faster
# VENV names the environment (.venv). What is up to date is not compiled again.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
mode=${1:-}
case $mode in
    asan) flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined" ;;
    ubsan) flags="-fsanitize=undefined -fno-sanitize-recover=undefined" ;;
    *)
        sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
shift
[ -n "${VENV:-}" ] || "$root/tools/env.sh" .venv test
python=$(cd "$root" && cd "${VENV:-.venv}/bin" && pwd)/python
folder=$root/build/$mode

mkdir -p "$folder/bocmat"
(
    cd "$root"
    cp src/bocmat/*.py "$folder/bocmat"
    CC="${CC:-gcc}" CFLAGS="-g -fno-omit-frame-pointer $flags" LDFLAGS="$flags" \
        "$python" setup.py -q build_ext --build-lib "$folder" --build-temp "$folder/objects"
) >&2

run=(env "PYTHONPATH=$folder" "LD_LIBRARY_PATH=$("$python" -c 'import scipy_openblas32 as wheel; print(wheel.get_lib_dir())')")
if [ "$mode" = asan ]; then
    run+=("LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)")
    run+=("ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=32")
fi
exec "${run[@]}" "$python" -X faulthandler "$@"
