"""The cases of a job in a table: a column `name`, and one for each input that is given. An empty cell gives nothing.

Cells are texts; each is read by the type of its input, as a value on the command line is. Problems stand in the CSV.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runner.foundation.problems import Problem, Severity
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, Path
from runner.job.cases.found import (
    IN_CLEAR,
    IN_VAIN,
    Cases,
    exposed,
    lacked,
    lacked_by_all,
    lacked_by_one,
    no_more,
    twice,
    with_lacking,
)
from runner.job.input_values import UnfitError, fit, unknown_input
from runner.job.model import Case, Input
from runner.reading.table import Row, Table

_NAME = "name"
_SHOWN = 2
_COMMA = "a value that holds a comma stands in double quotes"


def in_table(table: Table, inputs: Iterable[Input]) -> Cases:
    """The cases in a table, in the order of its rows."""
    reading = _Reading(table=table, declared={one.name: one for one in inputs}, named={})
    problems = list(reading.header())
    cases = []
    for index, row in enumerate(table.rows):
        case, told = reading.case(row, index)
        cases.append(case)
        problems.extend(told)
    if table.flaw is not None:
        problems.append(table.flaw)
    return with_lacking(Cases(cases=tuple(cases), problems=no_more(problems)), reading.lacking())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """`named` holds the row in which each name stands first."""

    table: Table
    declared: Mapping[str, Input]
    named: dict[str, Row]

    def header(self) -> Iterator[Problem]:
        table, cells = self.table, self.table.header.cells
        meant = {cell: suggest(cell, (_NAME, *self.declared)) for cell in cells if not self._is_known(cell)}
        if len(cells) > 1 and not any(self._is_known(cell) or meant.get(cell) for cell in cells):
            begin = f"begin it with `{','.join((_NAME, *self.declared)[: _SHOWN + 1])}`"
            message = f"the cases have no header: the first line holds neither `{_NAME}` nor an input of the job"
            yield table.problem("E105", message, table.header, hint=begin)
            return
        if _NAME not in cells and _NAME not in meant.values():
            shown = ",".join((_NAME, *cells[:_SHOWN])) + (",…" if len(cells) > _SHOWN else "")
            message = f"the cases have no column `{_NAME}`"
            yield table.problem("E105", message, table.header, hint=f"it names each case: `{shown}`")
        for column, cell in enumerate(cells):
            wrong = self._column(cell, meant.get(cell), is_second=cell in cells[:column])
            if wrong is not None:
                code, message, hint = wrong
                yield table.problem(code, message, table.header, column=column, hint=hint)
            elif cell in self.declared and self.declared[cell].secret and table.rows:
                told = table.problem("E107", exposed(cell), table.header, column=column, hint=IN_CLEAR)
                yield replace(told, severity=Severity.WARNING)

    def _is_known(self, cell: str) -> bool:
        return cell == _NAME or cell in self.declared

    def _column(self, cell: str, meant: str | None, *, is_second: bool) -> tuple[str, str, str | None] | None:
        """Code, message and hint, where something is wrong with a cell of the header."""
        if not cell:
            return "E108", "a column has no name", "name it, or take the comma away from every line"
        if is_second:
            return "E111", f"two columns are called `{cell}`", None
        if self._is_known(cell):
            return None
        message, hint = unknown_input(cell, self.declared)
        return "E131", message, f"did you mean `{meant}`?" if meant else hint

    def case(self, row: Row, index: int) -> tuple[Case, list[Problem]]:
        header = self.table.header.cells
        if len(row.cells) != len(header):
            return Case(name="", inputs={}), [self._shown(self._ragged(row, index))]
        inputs: dict[str, Json] = {}
        problems: list[Problem] = []
        name = ""
        for column, (key, cell) in enumerate(zip(header, row.cells, strict=True)):
            if key == _NAME:
                name = cell
                wrong = self._name_mistake(cell, row)
            elif cell and key in self.declared:
                wrong = self._read(self.declared[key], cell, inputs)
            else:
                continue
            if wrong is not None:
                code, message, hint = wrong
                path: Path = (index, key) if key == _NAME else (index, "inputs", key)
                told = self.table.problem(code, message, row, column=column, path=path, hint=hint)
                problems.append(self._shown(told))
        return Case(name=name, inputs=inputs), problems

    def lacking(self) -> Iterator[tuple[str | None, Problem]]:
        """What no case gives, by the names of inputs; without a name, an empty cell in a column that others fill."""
        table, header = self.table, self.table.header.cells
        whole = [index for index, row in enumerate(table.rows) if len(row.cells) == len(header)]
        given = [{key for key, cell in zip(header, table.rows[one].cells, strict=True) if cell} for one in whole]
        for declared, lacking in lacked(self.declared.values(), given):
            if len(lacking) == len(given):
                code, message, hint = lacked_by_all(declared)
                yield declared.name, table.problem(code, message, table.header, hint=hint)
                continue
            code, message, hint = lacked_by_one(declared)
            for index in (whole[one] for one in lacking):
                column, path = header.index(declared.name), (index, "inputs", declared.name)
                told = table.problem(code, message, table.rows[index], column=column, path=path, hint=hint)
                yield None, self._shown(told)

    def _name_mistake(self, name: str, row: Row) -> tuple[str, str, str | None] | None:
        if not name:
            return "E108", "this case has no name", None
        if "{{" in name:
            return "E122", "no template is read here", IN_VAIN
        first = self.named.setdefault(name, row)
        if first is row:
            return None
        return "E111", twice(name, line=first.first), "give one of them another name"

    def _read(self, declared: Input, cell: str, inputs: dict[str, Json]) -> tuple[str, str, str | None] | None:
        """Put the value of a cell into `inputs`, or say what is wrong with it."""
        if "{{" in cell:
            return "E122", "no template is read here", IN_VAIN
        try:
            inputs[declared.name] = fit(declared, cell, is_text=True)
        except UnfitError as unfit:
            return unfit.code, unfit.message, unfit.hint
        return None

    def _ragged(self, row: Row, index: int) -> Problem:
        there, wanted = len(row.cells), len(self.table.header.cells)
        message = f"this line has {_counted(there, 'cell')}, and the header {_counted(wanted, 'column')}"
        hint = _COMMA if there > wanted else "an empty cell needs its comma, too"
        return self.table.problem("E136", message, row, path=(index,), hint=hint)

    def _shown(self, problem: Problem) -> Problem:
        """Without the line itself, where that may hold a secret."""
        secret = any(self.declared[cell].secret for cell in self.table.header.cells if cell in self.declared)
        return replace(problem, excerpt=None) if secret else problem


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
