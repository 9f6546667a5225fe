#!/bin/sh
# Every C file that people write, one a line; with arguments, of those folders only.
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- kernels src/bocmat tests/native examples
find "$@" \( -name build -o -name __pycache__ \) -prune -o -type f \( -name '*.c' -o -name '*.h' \) -print 2>/dev/null | sort
