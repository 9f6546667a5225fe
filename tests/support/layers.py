"""The layer rule, read off `#include` lines and `import` statements."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

LIBC = {
    *("assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h"),
    *("math.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h"),
    *("stdio.h", "stdlib.h", "stdnoreturn.h", "string.h", "time.h"),
}
PROCESSOR = {
    *("arm_neon.h", "arm_sve.h", "cpuid.h", "emmintrin.h", "immintrin.h", "x86intrin.h"),
}
SYSTEM = {
    *("pthread.h", "sched.h", "semaphore.h", "signal.h", "threads.h", "unistd.h", "dlfcn.h"),
    *("fcntl.h", "malloc.h", "linux/futex.h", "linux/membarrier.h"),
    *("sys/auxv.h", "sys/mman.h", "sys/syscall.h", "sys/sysctl.h", "sys/time.h", "sys/types.h"),
    *("mach/mach.h", "mach/mach_time.h", "os/lock.h"),
}
BLAS = {"cblas.h", "lapacke.h", "lapack.h", "f77blas.h", "openblas_config.h"}
PYTHON = {"Python.h", "structmember.h", "frameobject.h", "marshal.h", "opcode.h", "pythread.h"}

# A file may include headers of files above it in this list, and its own.
RUNTIME_ORDER = [
    {"systematic"},  # the seeded scheduler of the tests: every atomic operation is a step of it
    {"atomic"},
    {"os"},
    {"block", "queue", "park", "stats"},
    {"loop", "channel"},
    {"quiesce", "channels"},
    {"cown"},
    {"behavior", "board"},
    {"sched"},
    {"worker", "cancel"},
]
# What every file there may include: the two public headers.
RUNTIME_EVERYWHERE = {"host", "runtime"}

FOLDERS = ["kernels", *(f"src/bocmat/{name}" for name in ("runtime", "binding", "include/bocmat"))]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)

# Loaded when first used, so that `import bocmat` stays light; the modules named may at once.
OPTIONAL = {
    "asyncio": {"aio"},
    "cloudpickle": set[str](),
    "dask": {"dask"},
    "distributed": {"dask"},
    "exceptiongroup": {"scope"},
    "multiprocessing": set[str](),
    "numpy": set[str](),
    "tqdm": set[str](),
}


def includes(file: Path) -> Iterator[tuple[bool, str]]:
    """Every include of a file: whether it is in angle brackets, and what it names."""
    for bracket, name in INCLUDE.findall(file.read_text(encoding="utf-8")):
        yield bracket == "<", name


def runtime_rank(stem: str) -> int | None:
    for rank, names in enumerate(RUNTIME_ORDER):
        if stem in names:
            return rank
    return None


def include_violation(root: Path, file: Path, angle: bool, name: str) -> str | None:
    """Say why a file of kernels/ or src/bocmat/ may not include what it includes, or None."""
    kernels, runtime = root / "kernels", root / "src/bocmat/runtime"
    binding, public = root / "src/bocmat/binding", root / "src/bocmat/include/bocmat"
    folder = file.parent
    if angle:
        allowed = set(LIBC)
        if folder == kernels:
            allowed |= PROCESSOR | (BLAS if file.name == "blas.h" else set())
        elif folder == runtime:
            allowed |= SYSTEM | PROCESSOR
        elif folder == binding:
            allowed |= SYSTEM | PYTHON | {"bocmat/bocmat.h"}
        else:
            allowed |= PYTHON
        return None if name in allowed else f"<{name}> is not for {folder.name}/"
    target = (folder / name).resolve()
    if not target.is_file():
        return f'"{name}" is not a file beside it'
    home = target.parent
    if folder == runtime and home == runtime:
        return runtime_violation(file.stem, target.stem)
    if home == folder:
        return None
    if folder == binding:
        if home == binding / "methods" and target.suffix == ".def":
            return None
        if home == runtime and target.name in ("runtime.h", "host.h"):
            return None
        if home == kernels and (target.name == "mk.h" or target.suffix == ".def"):
            return None
        if home == public:
            return None
    return f'"{name}" is of another layer'


def runtime_violation(stem: str, included: str) -> str | None:
    if included in RUNTIME_EVERYWHERE or included == stem:
        return None
    above, below = runtime_rank(stem), runtime_rank(included)
    if below is None:
        return f"{included} has no place in the order of runtime/"
    if above is None:
        return f"{stem} has no place in the order of runtime/"
    return None if below < above else f'"{included}.h" does not stand below {stem}'


def c_violations(root: Path) -> list[str]:
    """Every include that breaks the layer rule, as `file: why`."""
    root = root.resolve()
    found = []
    for folder in FOLDERS:
        for file in sorted((root / folder).glob("*.*")):
            if file.suffix not in (".c", ".h", ".def"):
                continue
            for angle, name in includes(file):
                why = include_violation(root, file, angle, name)
                if why:
                    found.append(f"{file.relative_to(root)}: {why}")
    return found


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Every module that a module imports, and whether it does so while being imported itself."""

    def visit(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, at_once
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = f"bocmat.{module}".rstrip(".")
            if module == "bocmat":
                for alias in node.names:
                    yield f"bocmat.{alias.name}", at_once
            else:
                yield module, at_once
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from visit(child, at_once)
        else:
            inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for child in ast.iter_child_nodes(node):
                yield from visit(child, at_once and not inside)

    yield from visit(tree, True)


def python_violations(root: Path) -> list[str]:
    """Every import of the Python files that breaks the rule: a circle, a heavy module at once."""
    package = root / "src/bocmat"
    modules = {file.stem for file in package.glob("*.py")}
    graph: dict[str, set[str]] = {}
    found = []
    for file in sorted(package.glob("*.py")):
        graph[file.stem] = set()
        for name, at_once in imports(ast.parse(file.read_text(encoding="utf-8"))):
            top, _, rest = name.partition(".")
            if top == "bocmat":
                used = rest.partition(".")[0]
                if used in modules:
                    graph[file.stem].add(used)
                elif used == "" or used[0] != "_":
                    graph[file.stem].add("__init__")
            elif top in OPTIONAL:
                if at_once and file.stem not in OPTIONAL[top]:
                    found.append(f"{file.name}: imports {top} at once")
            elif top not in sys.stdlib_module_names:
                found.append(f"{file.name}: imports {name}")
    return found + [f"imports in a circle: {' -> '.join(path)}" for path in circles(graph)]


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> Iterator[list[str]]:
        if node in path:
            yield [*path[path.index(node) :], node]
        elif node not in done:
            for following in sorted(graph.get(node, ())):
                yield from visit(following, [*path, node])
            done.add(node)

    for node in sorted(graph):
        yield from visit(node, [])
