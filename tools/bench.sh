#!/usr/bin/env bash
# Every benchmark, one after the other. usage: VENV=.venv tools/bench.sh [OPTIONS of the benchmarks, as --quick]
set -eu
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
for file in $(grep -l __main__ benchmarks/*.py); do
    printf '== %s\n' "$file"
    "$python" "$file" "$@"
done
