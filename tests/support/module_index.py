"""The list of all modules and tables in `runner/README.md`: the first line of each."""

import ast
from collections.abc import Iterator
from pathlib import Path

RUNNER = Path(__file__).parents[2] / "runner"
MAP = RUNNER / "README.md"


def module_index() -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for path in sorted([*RUNNER.glob("*/**/*.py"), *RUNNER.glob("*/hints/*.yaml"), *RUNNER.glob("*/*.sql")]):
        if line := _first_line(path):
            yield f"- `{path.relative_to(RUNNER).as_posix()}`: {line}"


def _first_line(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    about = ast.get_docstring(ast.parse(text)) if path.suffix == ".py" else text.lstrip("#- ")
    return (about or "").partition("\n")[0]
