"""The cases of jobs where they stand in files of their own: a CSV, or the same list as JSON. Each is read once."""

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.job.cases import Cases, in_list, in_table
from runner.job.model import Input
from runner.language import schema
from runner.reading import files, json_file, table
from runner.reading.closed import without_lines
from runner.reading.document import Document
from runner.reading.source import EVERY_LINE
from runner.reading.table import Table

KINDS = (".csv", ".json")


class CaseFiles:
    """`called` gives the name of a file in messages."""

    def __init__(self, *, called: Callable[[Path], str]) -> None:
        self._called = called
        self._read: dict[Path, Table | Document | tuple[Problem, ...]] = {}

    def cases(self, file: Path, inputs: Iterable[Input]) -> Cases:
        """The cases in `file`, whose name ends in one of `KINDS`, for a job with these inputs.

        Where there is no such file, the only problem has no place in it.
        """
        if file not in self._read:
            self._read[file] = self._loaded(file)
        inputs = tuple(inputs)
        read = _without_lines(self._read[file]) if any(declared.secret for declared in inputs) else self._read[file]
        match read:
            case Table():
                return in_table(read, inputs)
            case Document():
                wrong = schema.check_cases(read)
                found = in_list(read, (), inputs)
                known = {problem.path for problem in wrong}
                news = tuple(problem for problem in found.problems if problem.path not in known)
                return replace(found, problems=(*wrong, *news))
            case _:
                return Cases(problems=read)

    def _loaded(self, file: Path) -> Table | Document | tuple[Problem, ...]:
        name = self._called(file)
        content = files.content(file, name=name)
        if isinstance(content, Problem):
            return (content,)
        if file.suffix.casefold() == ".json":
            return json_file.load(name, content)
        read = table.load(name, content)
        return (read,) if isinstance(read, Problem) else read


def _without_lines(read: Table | Document | tuple[Problem, ...]) -> Table | Document | tuple[Problem, ...]:
    """What was read of cases that give secret inputs: no problem shows a line of them."""
    match read:
        case Table(flaw=flaw):
            flaw = None if flaw is None else replace(flaw, excerpt=None)
            values = EVERY_LINE[read.header.last :]
            return replace(read, source=replace(read.source, hidden=values), flaw=flaw)
        case Document():
            return without_lines(read)
        case _:
            return tuple(replace(problem, excerpt=None) for problem in read)
