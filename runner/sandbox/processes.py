"""A folder of doubles, `*.process.yaml`, and the first records of its entities, `records.yaml`.

All mistakes of all files are collected; a file that cannot be read is one more of them. What a file holds beyond its
shape is `rules`' business, what the records mean that of `activities`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.documents.load import read
from runner.language.schema import check
from runner.places import START_OF_FILE
from runner.problems import Problem
from runner.sandbox import build, first_records, rules
from runner.sandbox.doubles import Double, Doubles
from runner.values import JsonObject

_ENDING = ".process.yaml"


def load_doubles(folder: Path) -> tuple[Doubles, tuple[Problem, ...]]:
    """The doubles of `folder`, as far as they are without problems, and the problems.

    Files are called by `folder` as it was given. An empty folder is fine: a sandbox without processes.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.name.endswith(_ENDING))
    except OSError as error:
        message = f"the folder `{folder}` cannot be read: {error.strerror or error}"
        return Doubles(), (Problem(code="E100", message=message, file=str(folder)),)
    processes: dict[str, Double] = {}
    problems: list[Problem] = []
    for file in files:
        problems.extend(_add(file, processes))
    records, wrong = first_records.load(folder / "records.yaml")
    columns = _columns(processes.values(), records)
    return Doubles(processes=processes, columns=columns, records=records), (*problems, *wrong)


def _add(file: Path, processes: dict[str, Double]) -> Iterable[Problem]:
    """Put the double of `file` among `processes`, or tell what is wrong with it."""
    document = read(file, name=str(file))
    if isinstance(document, tuple):
        return document
    problems = [*check(document, "process")]
    told = {problem.path for problem in problems}
    problems += [problem for problem in rules.check(document) if problem.path not in told]
    if problems:
        return sorted(problems, key=_place)
    double = build.double(document)
    if double.code in processes:
        message = f"`{double.code}` has a double already, in {processes[double.code].file}"
        return (document.problem("E111", message, path=("process",)),)
    processes[double.code] = double
    return ()


def _place(problem: Problem) -> tuple[int, int]:
    span = problem.span or START_OF_FILE
    return span.line, span.column


def _columns(doubles: Iterable[Double], records: Mapping[str, Iterable[JsonObject]]) -> dict[str, tuple[str, ...]]:
    """Every column that any file mentions, by entity; those of the records first, in their order."""
    found: dict[str, dict[str, None]] = {}
    for entity, rows in records.items():
        found[entity] = dict.fromkeys(["Id", *(column for row in rows for column in row)])
    for double in doubles:
        for entity, column in build.columns_of(double):
            found.setdefault(entity, {})[column] = None
    return {entity: tuple(columns) for entity, columns in found.items()}
