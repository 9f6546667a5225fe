"""Finds OpenBLAS and compiles the extension module; everything else is in pyproject.toml.

BOCMAT_BLAS chooses the BLAS: `wheel` (the default) is the scipy-openblas32 package, `system` an
OpenBLAS that pkg-config finds. CC, CFLAGS and LDFLAGS are honoured; BOCMAT_JOBS is the number of
compilers run at once.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
LAYERS = ["kernels", "src/bocmat/runtime", "src/bocmat/binding"]


def files(folders: list[str], endings: str) -> list[str]:
    """Those files of some folders whose names end so, relative to the root as setuptools wants."""
    patterns = [f"{folder}/*.{ending}" for folder in folders for ending in endings.split()]
    return sorted(path for pattern in patterns for path in glob(pattern, root_dir=ROOT))


SOURCES = files(LAYERS, "c")
HEADERS = files([*LAYERS, "src/bocmat/binding/methods", "src/bocmat/include/bocmat"], "h def")

# Contraction off: `fma` rounds once and `a * b + c` twice, on every machine. No errno and no traps:
# nobody reads them, and values, NaN and infinity included, stay as IEEE 754 says.
COMPILE_FLAGS = [
    "-std=c11",
    "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-pthread",
]


def blas_is_system() -> bool:
    choice = os.environ.get("BOCMAT_BLAS") or "wheel"
    if choice not in ("wheel", "system"):
        raise SystemExit(f"error: BOCMAT_BLAS is {choice!r}: set it to 'wheel' or to 'system'.")
    return choice == "system"


def use_system_blas(extension: Extension) -> None:
    """Add what pkg-config says of OpenBLAS."""

    def ask(option: str) -> list[str]:
        command = [os.environ.get("PKG_CONFIG", "pkg-config"), option, "openblas"]
        try:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            return shlex.split(done.stdout)
        except (OSError, subprocess.CalledProcessError):
            raise SystemExit(
                "error: BOCMAT_BLAS=system is set but pkg-config finds no OpenBLAS: install "
                "pkg-config and OpenBLAS's development package (on Debian pkg-config and "
                "libopenblas-dev), or unset BOCMAT_BLAS to use the scipy-openblas32 wheel."
            ) from None

    extension.extra_compile_args += ask("--cflags")
    extension.extra_link_args += ask("--libs")
    extension.define_macros.append(("BOCMAT_BLAS_SYSTEM", "1"))


def use_wheel_blas(extension: Extension, in_place: bool) -> None:
    """Add the scipy-openblas32 wheel: its headers, its library, and where that is at run time.

    An installed extension has the wheel beside it. One built in place has not: it is told where the
    wheel is in the environment it is built for, which is not always where it was found: pip builds
    in a throw-away environment.
    """
    try:
        import scipy_openblas32 as wheel
    except ImportError:
        raise SystemExit(
            "error: OpenBLAS was not found: install its wheel (python -m pip install "
            "scipy-openblas32), or set BOCMAT_BLAS=system for the one that pkg-config finds."
        ) from None
    library = wheel.get_lib_dir()
    extension.include_dirs.append(wheel.get_include_dir())
    extension.library_dirs.append(library)
    extension.libraries.append(wheel.get_library())
    here = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
    places = [f"{here}/../scipy_openblas32/lib"]
    if in_place:
        for site in (sysconfig.get_path("platlib"), sysconfig.get_path("purelib")):
            places.append(f"{site}/scipy_openblas32/lib")
        if "build-env" not in library:
            places.append(library)
    extension.extra_link_args += [f"-Wl,-rpath,{place}" for place in dict.fromkeys(places)]


class BuildExt(build_ext):
    """Compiles the sources in parallel, and of a build in place only those that changed."""

    def run(self) -> None:
        in_place = bool(self.inplace or getattr(self, "editable_mode", False))
        for extension in self.extensions:
            if blas_is_system():
                use_system_blas(extension)
            else:
                use_wheel_blas(extension, in_place)
        if in_place:
            self.build_temp = f"build/{sysconfig.get_config_var('SOABI') or 'python'}"
        self.force = True  # which objects are up to date is decided below, one by one
        super().run()

    def build_extension(self, extension: Extension) -> None:
        if shutil.which("ccache") and "ccache" not in self.compiler.compiler_so[0]:
            self.compiler.compiler_so = ["ccache", *self.compiler.compiler_so]
        extension.libraries.append("m")  # brings glibc's vector math with it, where that is
        self.compiler.compile = self.compile_changed
        super().build_extension(extension)

    def compile_changed(
        self,
        sources,
        output_dir=None,
        macros=None,
        include_dirs=None,
        debug=False,
        extra_preargs=None,
        extra_postargs=None,
        depends=None,
    ):
        """Stand in for the compiler object's own `compile`: an object is kept if it is newer than
        its source and every header, and was made by the same command.
        """
        compiler = self.compiler
        macros, objects, extra_postargs, pp_opts, build = compiler._setup_compile(
            output_dir, macros, include_dirs, sources, depends, extra_postargs
        )
        cc_args = compiler._get_cc_args(pp_opts, debug, extra_preargs)
        command = repr((compiler.compiler_so, cc_args, extra_postargs))
        stamp = Path(self.build_temp, "command.sha256")
        digest = hashlib.sha256(command.encode()).hexdigest()
        same = stamp.exists() and stamp.read_text(encoding="ascii") == digest
        newest_header = max((os.path.getmtime(path) for path in depends or ()), default=0.0)

        def up_to_date(target: str, source: str) -> bool:
            if not same or not os.path.exists(target):
                return False
            made = os.path.getmtime(target)
            return made > newest_header and made > os.path.getmtime(source)

        stale = [target for target in objects if not up_to_date(target, build[target][0])]
        stamp.unlink(missing_ok=True)

        def compile_one(target: str) -> None:
            source, ending = build[target]
            made = f"{target}.new.o"  # an interrupted compiler leaves no half-written object behind
            compiler._compile(made, source, ending, cc_args, extra_postargs, pp_opts)
            os.replace(made, target)

        jobs = int(os.environ.get("BOCMAT_JOBS") or min(8, os.cpu_count() or 1))
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            for done in [pool.submit(compile_one, target) for target in stale]:
                done.result()
        stamp.write_text(digest, encoding="ascii")
        return objects


def dependencies() -> list[str]:
    needed = ["cloudpickle>=3", "exceptiongroup; python_version < '3.11'"]
    return needed if blas_is_system() else [*needed, "scipy-openblas32"]


setup(
    install_requires=dependencies(),
    ext_modules=[
        Extension(
            "bocmat._core",
            SOURCES,
            depends=[*HEADERS, "setup.py"],
            extra_compile_args=COMPILE_FLAGS,
            extra_link_args=["-pthread"],
        )
    ],
    cmdclass={"build_ext": BuildExt},
)
