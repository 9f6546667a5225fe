#!/usr/bin/env bash
# Makes and keeps up the virtual environment that the Makefile's targets run in.
# usage: tools/env.sh FOLDER EXTRAS [PYTHON]
#   FOLDER  the environment, made if it is not there, made again if PYTHON is another interpreter than its own
#   EXTRAS  what to install besides the package itself: demo, test, lint, docs (comma-separated)
#   PYTHON  the interpreter; without one, the newest stable CPython >= 3.10 found here that can make an environment
# What is up to date is left alone: a second run does nothing and takes under a second.
set -eu
cd "$(dirname "$0")/.."
venv=$1 extras=$2 python=${3:-}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n' "$*" >&2; }

# One line an interpreter, best first: RANK<tab>PATH. Free-threaded builds and pre-releases come last, they are for
# the asking. A link to an interpreter, or one inside an environment, counts as the interpreter it stands for.
describe='
import os, sys, sysconfig
if sys.implementation.name != "cpython" or sys.version_info < (3, 10): sys.exit(1)
import venv
version = sys.version_info
headers = os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
usual = version.releaselevel == "final" and not sysconfig.get_config_var("Py_GIL_DISABLED")
path = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
print("%d%d%03d%03d\t%s" % (headers, usual, version.minor, version.micro, path))
'
limit() { if command -v timeout >/dev/null; then timeout 20 "$@"; else "$@"; fi; }
ask() { limit "$1" -I -c "$describe" 2>/dev/null </dev/null || true; }

candidates() {
    local folder name
    {
        printf '%s\n' "$PATH" | tr ':' '\n'
        for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/*/bin \
            /Library/Frameworks/Python.framework/Versions/3.*/bin /opt/homebrew/bin /usr/local/bin /usr/bin; do
            printf '%s\n' "$folder"
        done
    } | awk 'NF && !seen[$0]++' | while IFS= read -r folder; do
        for name in "$folder"/python3 "$folder"/python3.[1-9][0-9] "$folder"/python3.[1-9][0-9]t; do
            [ -x "$name" ] && ask "$name"
        done
    done | sort -r -u
}

# pip into an environment that was made without it, by any pip at hand.
bring_pip() {
    local other
    if command -v uv >/dev/null && uv pip install -q --python "$venv/bin/python" pip; then return 0; fi
    for other in "$@"; do
        if "$other" -m pip --python "$venv/bin/python" install -q pip 2>/dev/null; then return 0; fi
    done
    return 1
}

# An environment of interpreter $1; false if it cannot make one.
make_with() {
    rm -rf "$venv"
    if ! "$1" -m venv "$venv" >/dev/null 2>&1; then
        rm -rf "$venv"
        "$1" -m venv --without-pip "$venv" >/dev/null 2>&1 || return 1
        # shellcheck disable=SC2046
        bring_pip "$1" $(candidates | cut -f 2) || return 1
    fi
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    printf '%s\n' "$1" >"$venv/made-with"
}

made_with=
if [ -f "$venv/made-with" ] && "$venv/bin/python" -c '' 2>/dev/null; then made_with=$(cat "$venv/made-with"); fi

if [ -n "$python" ]; then
    found=$(ask "$python" | cut -f 2)
    if [ -z "$found" ]; then
        say "PYTHON=$python is not a CPython 3.10 or newer that starts; name one, or leave PYTHON out."
        exit 1
    fi
    if [ "$found" != "$made_with" ]; then
        say "making $venv with $found"
        if ! make_with "$found"; then
            rm -rf "$venv"
            say "$found cannot make a virtual environment (python -m venv), and no pip at hand could help: install its venv package."
            exit 1
        fi
    fi
elif [ -z "$made_with" ]; then
    for found in $(candidates | cut -f 2); do
        say "making $venv with $found"
        make_with "$found" && break
        rm -rf "$venv"
    done
    if [ ! -d "$venv" ]; then
        say "No CPython 3.10 or newer that can make a virtual environment was found: install one, or name it with PYTHON=."
        exit 1
    fi
fi

inside=$venv/bin/python
include=$("$inside" -c 'import sysconfig; print(sysconfig.get_path("include"))')
if [ ! -f "$include/Python.h" ]; then
    say "$("$inside" -V) has no headers to compile against ($include/Python.h): install its development package, or name another interpreter with PYTHON=."
    exit 1
fi
if ! command -v "${CC:-cc}" >/dev/null && ! command -v gcc >/dev/null; then
    say "No C compiler was found: install gcc or clang, or name one with CC=."
    exit 1
fi

# Packages, and the editable install; again when what is asked for has changed.
build="$PWD BLAS=${BOCMAT_BLAS:-wheel} CC=${CC:-} CFLAGS=${CFLAGS:-}"
asked="$extras $(cksum <pyproject.toml) $build"
stamp=$venv/installed.${extras//,/-}
built=$venv/built
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$asked" ]; then
    say "installing the package, in place, with: $extras"
    touch "$built.new" # before the compilers start: what is saved meanwhile is newer
    "$inside" -m pip install -q --prefer-binary 'setuptools>=77' scipy-openblas32
    "$inside" -m pip install -q --prefer-binary --no-build-isolation -e ".[$extras]"
    printf '%s\n' "$asked" >"$stamp"
    printf '%s\n' "$build" >"$built"
    touch -r "$built.new" "$built"
fi

# The extension module, again when a source is newer than it.
changed=$(find kernels src/bocmat setup.py -type f -newer "$built" \
    \( -name '*.c' -o -name '*.h' -o -name '*.def' -o -name setup.py \) | head -1)
extension=$("$inside" -c 'import sysconfig; print("src/bocmat/_core" + sysconfig.get_config_var("EXT_SUFFIX"))')
if [ -n "$changed" ] || [ ! -f "$extension" ] || [ "$(cat "$built")" != "$build" ]; then
    say "compiling"
    touch "$built.new"
    "$inside" setup.py -q build_ext --inplace
    printf '%s\n' "$build" >"$built"
    touch -r "$built.new" "$built"
fi
