"""The list of all modules in `runner/README.md`: the first line of each."""

import ast
from collections.abc import Iterator
from pathlib import Path

RUNNER = Path(__file__).parents[2] / "runner"
MAP = RUNNER / "README.md"


def module_index() -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for path in sorted(RUNNER.glob("*/**/*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if docstring:
            name, line = path.relative_to(RUNNER).as_posix(), docstring.partition("\n")[0]
            yield f"- `{name}`: {line}"
