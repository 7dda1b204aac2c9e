"""What every worker of pytest would do with each module of the program in a new checkout, done once for all of them.
Its arguments are modules of libraries that each worker imports: they are compiled.

A program of its own: Hypothesis wants none of it from a conftest.
"""

import compileall
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from hypothesis.configuration import storage_directory
from hypothesis.internal.constants_ast import constants_from_module

_PROGRAM = Path(__file__).parents[2] / "runner"


def _prepare_all() -> None:
    """Compile all modules, and have their constants noted, which Hypothesis tries: it parses each of them for that."""
    note = None if storage_directory("constants").path.exists() else constants_from_module
    with ProcessPoolExecutor() as pool:
        compiled = pool.map(_compile, sys.argv[1:], chunksize=8)
        for _ in (*pool.map(partial(_prepare, note), _PROGRAM.rglob("*.py"), chunksize=8), *compiled):
            pass


def _compile(file: Path | str) -> None:
    compileall.compile_file(file, quiet=2)


def _prepare(note: Callable[[ModuleType], object] | None, file: Path) -> None:
    _compile(file)
    spec = spec_from_file_location(file.stem, file)
    if note is not None and spec is not None:
        module = module_from_spec(spec)  # it is not carried out
        note(module)


if __name__ == "__main__":
    _prepare_all()
