"""The cases of jobs in files of their own: a CSV, or the same list as JSON."""

from collections.abc import Collection
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.job.cases import Cases, in_list, in_table
from runner.job.model import Input
from runner.language.findings import check_cases
from runner.reading import files, json_file, table
from runner.reading.document import Document, without_lines
from runner.reading.source import EVERY_LINE
from runner.reading.table import Table

ReadCases: TypeAlias = Table | Document | tuple[Problem, ...]


def read_cases(file: Path, *, name: str) -> ReadCases:
    """What `file`, called `name`, holds. For a missing file the only problem has no place."""
    content = files.content(file, name=name)
    if isinstance(content, Problem):
        return (content,)
    if file.suffix.casefold() == ".json":
        return json_file.load(name, content)
    read = table.load(name, content)
    return (read,) if isinstance(read, Problem) else read


def cases_in(read: ReadCases, inputs: Collection[Input]) -> Cases:
    if any(declared.secret for declared in inputs):
        read = _without_lines(read)
    match read:
        case Table():
            return in_table(read, inputs)
        case Document():
            wrong = check_cases(read)
            found = in_list(read, (), inputs)
            known = {problem.path for problem in wrong}
            news = tuple(problem for problem in found.problems if problem.path not in known)
            return replace(found, problems=(*wrong, *news))
        case _:
            return Cases(problems=read)


def _without_lines(read: ReadCases) -> ReadCases:
    """The cases, without lines in problems, if they give secret inputs."""
    match read:
        case Table(flaw=flaw):
            flaw = None if flaw is None else replace(flaw, excerpt=None)
            values = EVERY_LINE[read.header.last :]
            return replace(read, source=replace(read.source, hidden=values), flaw=flaw)
        case Document():
            return without_lines(read)
        case _:
            return tuple(replace(problem, excerpt=None) for problem in read)
