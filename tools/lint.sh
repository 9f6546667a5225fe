#!/usr/bin/env bash
# Every check of the sources, each said in one line, what it found below it. usage: VENV=.venv tools/lint.sh
set -u
cd "$(dirname "$0")/.." || exit 1
venv=${VENV:-.venv}
bin=$(cd "$venv/bin" && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

check() {
    local name=$1
    shift
    if "$@" >"$log" 2>&1; then
        printf 'ok      %s\n' "$name"
    else
        printf 'FAILED  %s\n' "$name"
        grep -v '^[0-9]* warnings\? generated\|^Suppressed\|^Use -header-filter' "$log"
        status=1
    fi
}

python_include=$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
blas_include=$("$bin/python" -c 'import scipy_openblas32; print(scipy_openblas32.get_include_dir())')
strict=(-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -ffp-contract=off -pthread)
includes=(-isystem "$python_include" -isystem "$blas_include")

tidy_all() {
    tools/c-files.sh kernels src/bocmat | grep '\.c$' |
        xargs -P 2 -I '{}' "$bin/clang-tidy" --quiet '{}' -- "${strict[@]}" "${includes[@]}"
}
gcc_all() {
    local compiler=$1
    tools/c-files.sh kernels src/bocmat | grep '\.c$' |
        xargs -P 2 -n 4 "$compiler" "${strict[@]}" "${includes[@]}" -Werror -O1 -fsyntax-only
}
format_all() { tools/c-files.sh | xargs "$bin/clang-format" --dry-run -Werror; }

check "ruff check" "$bin/ruff" check -q .
check "ruff format" "$bin/ruff" format --check .
check "mypy" "$bin/mypy"
check "clang-format" format_all
if command -v gcc >/dev/null; then check "gcc warnings" gcc_all gcc; fi
if command -v clang >/dev/null; then check "clang warnings" gcc_all clang; fi
check "clang-tidy" tidy_all
exit $status
