"""The cases of a job: a list (`cases` itself, or a JSON file of the same shape), or a table in a CSV file.

A table has a column `name`, and one for each input that is given; an empty cell gives nothing. Each value is checked
against its input, in a table as text, as a value on the command line is. The schema has checked the shape of lists
before; what has another shape is left out here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from runner.expressions.parse import texts_in
from runner.foundation.discreet import Discreet
from runner.foundation.problems import Finding, Problem, Severity
from runner.foundation.raw import items, record
from runner.foundation.sentences import many
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, Path
from runner.job.inputs import UnfitError, fit, how_to_give, unknown_input
from runner.job.model import Case, Input
from runner.reading.document import Document
from runner.reading.table import Table, TableRow

MOST_PROBLEMS = 100
"""A hundred thousand cases with one wrong input must not be reported a hundred thousand times."""
_NAME = "name"
_SHOWN = 2


class Cases(Discreet, frozen=True, kw_only=True):
    """`cases` may be used where there is no error among the problems.

    `lacking` are the required inputs that no case gives, each with the problem where nothing else gives it either;
    `lacking_some` are problems of cases that lack what others give.
    """

    NOT_COMPARED: ClassVar = frozenset({"lacking", "lacking_some"})

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
    lacking: Mapping[str, Problem] = field(default_factory=dict)
    lacking_some: tuple[Problem, ...] = ()


def in_list(document: Document, path: Path, inputs: Iterable[Input]) -> Cases:
    """The cases in the list at `path`."""
    reader = _Reader(declared={each.name: each for each in inputs})
    cases: list[Case] = []
    problems: list[Problem] = []
    for index, item in enumerate(_list_at(document.data, path)):
        fields, at = record(item), (*path, index)
        name, inputs_of_case = fields.get(_NAME), record(fields.get("inputs"))
        found: list[Problem] = []
        if isinstance(name, str) and name:
            wrongs = reader.check_name(name, line=document.line_of((*at, _NAME)))
            found += [_in_document(document, (*at, _NAME), wrong) for wrong in wrongs]
        for key, value in inputs_of_case.items():
            here = (*at, "inputs", key)
            if (secret := reader.exposed(key)) is not None:
                found.append(replace(_in_document(document, here, secret), severity=Severity.WARNING))
            wrongs = reader.check(key, value, written=partial(_written, document, here))
            found += [_in_document(document, here, wrong) for wrong in wrongs]
        has_secret = any(reader.declared[key].secret for key in inputs_of_case if key in reader.declared)
        problems += [replace(problem, excerpt=None) for problem in found] if has_secret else found
        cases.append(Case(name=name if isinstance(name, str) else "", inputs=inputs_of_case))

    def lacked(_: Input, index: int | None, wrong: Finding) -> Problem:
        place = path if index is None else (*path, index, "inputs")
        return _in_document(document, place, replace(wrong, at_key=True))

    given = [case.inputs for case in cases]
    return _with_lacking(Cases(cases=tuple(cases), problems=_no_more(problems)), reader, given, lacked)


def in_table(table: Table, inputs: Iterable[Input]) -> Cases:
    """The cases in a table, in the order of its rows."""
    reader, header = _Reader(declared={each.name: each for each in inputs}), table.header.cells
    problems = list(_header(table, reader))
    cases: list[Case] = []
    for index, row in enumerate(table.rows):
        case, found = _read_row(table, row, index, reader)
        cases.append(case)
        problems += found
    if table.flaw is not None:
        problems.append(table.flaw)
    whole = [index for index, row in enumerate(table.rows) if len(row.cells) == len(header)]
    given = [{key for key, cell in zip(header, table.rows[at].cells, strict=True) if cell} for at in whole]

    def lacked(declared: Input, index: int | None, wrong: Finding) -> Problem:
        if index is None:
            return table.problem(wrong.code, wrong.message, table.header, hint=wrong.hint)
        row, path = table.rows[whole[index]], (whole[index], "inputs", declared.name)
        return _in_row(table, row, path, wrong, column=header.index(declared.name), reader=reader)

    return _with_lacking(Cases(cases=tuple(cases), problems=_no_more(problems)), reader, given, lacked)


def _read_row(table: Table, row: TableRow, index: int, reader: "_Reader") -> tuple[Case, list[Problem]]:
    header = table.header.cells
    if len(row.cells) != len(header):
        ragged = _in_row(table, row, (index,), _ragged(len(row.cells), len(header)), column=None, reader=reader)
        return Case(name="", inputs={}), [ragged]
    name = ""
    inputs: dict[str, Json] = {}
    problems: list[Problem] = []
    for column, (key, cell) in enumerate(zip(header, row.cells, strict=True)):
        path: Path = (index, "inputs", key)
        wrongs: Iterable[Finding] = ()
        if key == _NAME:
            name, path, wrongs = cell, (index, key), reader.check_name(cell, line=row.first)
        elif cell and key in reader.declared:
            wrongs = reader.check(key, cell, is_text=True, into=inputs)
        problems += [_in_row(table, row, path, wrong, column=column, reader=reader) for wrong in wrongs]
    return Case(name=name, inputs=inputs), problems


def _in_row(
    table: Table, row: TableRow, path: Path, wrong: Finding, *, column: int | None, reader: "_Reader"
) -> Problem:
    """Without the line itself, where that may hold a secret."""
    problem = table.problem(wrong.code, wrong.message, row, column=column, path=path, hint=wrong.hint)
    declared = [reader.declared[cell] for cell in table.header.cells if cell in reader.declared]
    return replace(problem, excerpt=None) if any(each.secret for each in declared) else problem


class _Reader(Struct, frozen=True, kw_only=True):
    """Checks the names and values of cases. `lines` holds where each name is first."""

    declared: Mapping[str, Input]
    lines: dict[str, int] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)

    def check_name(self, name: str, *, line: int) -> Iterator[Finding]:
        if not name:
            yield Finding(code="E108", message="this case has no name")
            return
        yield from _templates(name)
        first = self.lines.setdefault(name, line)
        if first != line and "{{" not in name:
            message = f"two cases are called `{name}`: this case and that in line {first}"
            yield Finding(code="E111", message=message, hint="give one of them another name")

    def exposed(self, key: str) -> Finding | None:
        """The warning of a secret in clear text, once for each input."""
        if key not in self.declared or not self.declared[key].secret or key in self.shown:
            return None
        self.shown.add(key)
        return _exposed(key)

    def check(
        self,
        key: str,
        value: Json,
        *,
        is_text: bool = False,
        written: Callable[[Path], str] | None = None,
        into: dict[str, Json] | None = None,
    ) -> Iterator[Finding]:
        """What is wrong with the value of an input; a sound value goes `into` the inputs of the case."""
        declared = self.declared.get(key)
        if declared is None:
            message, hint = unknown_input(key, self.declared)
            yield Finding(code="E131", message=message, hint=hint, at_key=True)
            return
        templates = list(_templates(value))
        yield from templates
        if templates:
            return
        try:
            found = fit(declared, value, is_text=is_text, written=written)
        except UnfitError as unfit:
            yield Finding(code=unfit.code, message=unfit.message, hint=unfit.hint, path=unfit.path)
        else:
            if into is not None:
                into[key] = found


def _templates(value: Json) -> Iterator[Finding]:
    for path, text in texts_in(value):
        hint = "write the value itself: a value that is worked out belongs into `vars`"
        line = text[: text.index("{{")].count("\n")
        yield Finding(code="E122", message="no template is read here", hint=hint, path=path, part="{{", line=line)


def _written(document: Document, path: Path, inner: Path) -> str:
    return document.written((*path, *inner))


def _in_document(document: Document, path: Path, wrong: Finding) -> Problem:
    at = (*path, *wrong.path)
    span = document.name_span(at, line=wrong.line, name=wrong.part) if wrong.part else None
    return document.problem(wrong.code, wrong.message, path=at, at_key=wrong.at_key, hint=wrong.hint, span=span)


def _with_lacking(
    found: Cases,
    reader: _Reader,
    given: Sequence[Collection[str]],
    lacked: Callable[[Input, int | None, Finding], Problem],
) -> Cases:
    """The cases, with what they lack. `given` are the inputs of each case that counts for that; `lacked` makes the
    problem of an input that no case gives, or that the case of an index does not give.
    """
    lacking: dict[str, Problem] = {}
    some: list[Problem] = []
    for name, declared in reader.declared.items():
        indexes = [index for index, names in enumerate(given) if name not in names] if declared.required else []
        if not indexes:
            continue
        if len(indexes) == len(given):
            message = f"no case gives the input `{name}`, which is required"
            elsewhere = how_to_give(declared)
            hint = elsewhere if declared.secret else f"add it to the cases, or {elsewhere}"
            lacking[name] = lacked(declared, None, Finding(code="E130", message=message, hint=hint))
            continue
        message = f"this case gives no `{name}`, which is required"
        hint = f"write a value, or give the input `{name}` a `default`"
        some += [lacked(declared, index, Finding(code="E130", message=message, hint=hint)) for index in indexes]
    return replace(found, lacking=lacking, lacking_some=_no_more(some))


def _no_more(problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems, or so many of them as a person reads."""
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    left = len(problems) - MOST_PROBLEMS
    last = replace(problems[MOST_PROBLEMS - 1], hint=f"{left:,} more mistakes in the cases are not shown")
    return (*problems[: MOST_PROBLEMS - 1], last)


def _exposed(name: str) -> Finding:
    message = f"`{name}` is secret, but its value is written here for everybody to read"
    hint = "leave it out: the value can come from the environment or a file"
    return Finding(code="E107", message=message, hint=hint, at_key=True)


def _header(table: Table, reader: _Reader) -> Iterator[Problem]:
    cells, declared = table.header.cells, reader.declared
    known = (_NAME, *declared)
    near = {cell: suggest(cell, known) for cell in cells if cell not in known}
    if len(cells) > 1 and not any(cell in known or near.get(cell) for cell in cells):
        begin = f"begin it with `{','.join(known[: _SHOWN + 1])}`"
        message = f"the cases have no header: the first line holds neither `{_NAME}` nor an input of the job"
        yield table.problem("E105", message, table.header, hint=begin)
        return
    if _NAME not in cells and _NAME not in near.values():
        shown = ",".join((_NAME, *cells[:_SHOWN])) + (",…" if len(cells) > _SHOWN else "")
        message = f"the cases have no column `{_NAME}`"
        yield table.problem("E105", message, table.header, hint=f"add it, it names each case: `{shown}`")
    for column, cell in enumerate(cells):
        wrong = _column(cell, near.get(cell), declared, is_second=cell in cells[:column])
        secret = wrong is None and cell in declared and declared[cell].secret and bool(table.rows)
        if secret:
            wrong = _exposed(cell)
        if wrong is not None:
            found = table.problem(wrong.code, wrong.message, table.header, column=column, hint=wrong.hint)
            yield replace(found, severity=Severity.WARNING) if secret else found


def _column(cell: str, near: str | None, declared: Mapping[str, Input], *, is_second: bool) -> Finding | None:
    """What is wrong with a cell of the header."""
    if not cell:
        return Finding(code="E108", message="a column has no name", hint="name it, or remove the comma from every line")
    if is_second:
        return Finding(code="E111", message=f"two columns are called `{cell}`")
    if cell == _NAME or cell in declared:
        return None
    message, hint = unknown_input(cell, declared)
    return Finding(code="E131", message=message, hint=f"did you mean `{near}`?" if near else hint)


def _ragged(there: int, wanted: int) -> Finding:
    message = f"this line has {many(there, 'cell')}, and the header {many(wanted, 'column')}"
    more = "put a value that holds a comma in double quotes"
    return Finding(
        code="E136", message=message, hint=more if there > wanted else "write the comma of an empty cell, too"
    )


def _list_at(value: Json, path: Path) -> list[Json]:
    for key in path:
        value = record(value).get(str(key))
    return items(value)
