"""A folder of doubles, `*.process.yaml`, and the first records of its entities, `records.yaml`.

All mistakes of all files are collected; a file that cannot be read is one more of them. What a file holds beyond its
shape is `rules`' business, what the records mean that of `activities`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from runner.foundation.problems import Problem, Severity, are_errors, in_order
from runner.foundation.values import JsonObject
from runner.language import lookalikes
from runner.language.schema import check
from runner.reading.document import Document
from runner.reading.files import stray
from runner.reading.load import read
from runner.sandbox import build, double_types, families, first_records, rules, unread, unwritten
from runner.sandbox.doubles import Double, Doubles
from runner.sandbox.typos import slip_of
from runner.targets.folders import ENDING, RECORDS, doubles_in


def load_doubles(folder: Path) -> tuple[Doubles, tuple[Problem, ...]]:
    """The doubles of `folder`, as far as they are without problems, and the problems.

    Files are called by `folder` as it was given. An empty folder is fine: a sandbox without processes.
    """
    try:
        files = doubles_in(folder)
    except OSError as error:
        message = f"the folder `{folder}` cannot be read: {error.strerror or error}"
        return Doubles(), (Problem(code="E100", message=message, file=str(folder)),)
    read_doubles: dict[str, tuple[Double, Document]] = {}
    problems: list[Problem] = []
    for file in files:
        problems.extend(_add(file, read_doubles))
    processes, odd = families.settled(read_doubles)
    problems.extend(odd)
    records, wrong = first_records.load(folder / RECORDS)
    problems += [*wrong, *unread.check(folder)]
    if not are_errors(problems):
        problems.extend(unwritten.check(read_doubles.values(), records))
    columns = _columns(processes.values(), records)
    return Doubles(processes=processes, columns=columns, records=records), tuple(problems)


def _add(file: Path, found: dict[str, tuple[Double, Document]]) -> Iterable[Problem]:
    """Put the double of `file` among those that were found, and tell what is wrong with it."""
    if (wrong := stray(file, name=str(file))) is not None:
        return (wrong,)
    document = read(file, name=str(file))
    if isinstance(document, tuple):
        return document
    problems = [*check(document, "process")]
    told = {problem.path for problem in problems}
    in_vain = {"E126"} if ("parameters",) in told else set()  # where no parameter can be read, none is unknown
    problems += [one for one in rules.check(document) if one.path not in told and one.code not in in_vain]
    told = {problem.path for problem in problems}
    problems += [problem for problem in double_types.check(document) if problem.path not in told]
    problems += lookalikes.check(document, reported=problems)
    if are_errors(problems):
        return in_order(problems)
    double = build.double(document)
    if double.code in found:
        message = f"`{double.code}` has a double already, in {found[double.code][0].file}"
        return (document.problem("E111", message, path=("process",)),)
    found[double.code] = (double, document)
    return in_order((*problems, *_another_name(document, double.code, file)))


def _another_name(document: Document, code: str, file: Path) -> Iterator[Problem]:
    """A file may have any name; one that is nearly the process's code shows which of the two has a slip."""
    name = file.name.removesuffix(ENDING)
    if slip_of(name, [code]) is None and (re.fullmatch(r"\w+", code) or not re.fullmatch(r"\w+", name)):
        return
    message, hint = f"the file is called `{name}`", f"jobs start a process by the code that stands here: `{name}`?"
    yield document.problem("E107", message, path=("process",), hint=hint, severity=Severity.WARNING)


def _columns(doubles: Iterable[Double], records: Mapping[str, Iterable[JsonObject]]) -> dict[str, tuple[str, ...]]:
    """Every column that any file mentions, by entity; those of the records first, in their order."""
    found: dict[str, dict[str, None]] = {}
    for entity, rows in records.items():
        found[entity] = dict.fromkeys(["Id", *(column for row in rows for column in row)])
    for double in doubles:
        for entity, column in build.columns_of(double):
            found.setdefault(entity, {})[column] = None
    return {entity: tuple(columns) for entity, columns in found.items()}
