"""The cases of a job: a list, in `cases` or a JSON file, or a table in a CSV file.

A table has columns `name`, and for each input; an empty cell gives nothing. Each value is checked against its
input, in a table as text. What has another shape, which the schema reports, is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from runner.expressions.parse import texts_in
from runner.foundation import hints
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, in_order
from runner.foundation.sentences import plural
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, ValuePath, compact, is_number, items, record, value_at
from runner.job.inputs import UnfitError, fit, how_to_give, unknown_input
from runner.job.model import Case, Input
from runner.json_schema.as_type import GROUPED
from runner.reading.document import Document
from runner.reading.table import Table

MOST_PROBLEMS = 100
"""A hundred thousand cases with the same wrong input must not be reported a hundred thousand times."""
_NAME = "name"
_SHOWN = 2
_ERROR = lazy_pattern(r"^#[A-Z/0]+[?!A]$")  # of a spreadsheet
_ODD = lazy_pattern(r"^#[A-Z/0]+[?!A]$|^\s.*\S$|^\S.*\s$|^[0-9][.,][0-9]+E\+[0-9]+$")


_COMMENT = Finding(
    code="E136",
    message="a CSV has no comments: this line would be carried out like the others",
    hint="delete the line; a value that begins with `#` is written in quotes",
)


class Cases(Struct, frozen=True, kw_only=True):
    """The cases; without errors among the problems they may be used."""

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
    lacking: Mapping[str, Problem] = field(default_factory=dict)  # required inputs that no case gives


class _WrittenCase(Struct, frozen=True, kw_only=True):
    """A case as it is written. `name` is None where the schema has reported it, `line` is where it is written."""

    index: int
    name: str | None
    inputs: JsonObject
    line: int


_Place: TypeAlias = Callable[[_WrittenCase | None, Finding], Problem]
"""The problem of what was found in a case, or in all together, at its place."""


def in_list(document: Document, path: ValuePath, inputs: Iterable[Input]) -> Cases:
    """The cases that are written as a list at `path` of the job itself."""
    declared = {each.name: each for each in inputs}
    written = []
    for index, item in enumerate(items(value_at(path, document.data))):
        if not isinstance(record(item).get("inputs", {}), dict):
            continue  # it is reported as what it is
        fields, line = record(item), document.line_of((*path, index, _NAME))
        name = fields.get(_NAME)
        known = name if isinstance(name, str) and name else None
        written.append(_WrittenCase(index=index, name=known, inputs=record(fields.get("inputs")), line=line))

    def place(case: _WrittenCase | None, wrong: Finding) -> Problem:
        at = path if case is None else (*path, case.index, *wrong.path)
        span = document.name_span(at, line=wrong.line, name=wrong.part) if wrong.part else None
        return document.found(replace(wrong, path=()), at, span=span)

    def source(at: ValuePath) -> str:
        return document.written((*path, *at))

    return _checked(written, declared, place, source=source)


def in_table(table: Table, inputs: Iterable[Input]) -> Cases:
    declared = {each.name: each for each in inputs}
    header, written = table.header.cells, []
    problems = list(_header(table, declared))

    def place(case: _WrittenCase | None, wrong: Finding) -> Problem:
        if case is None:
            return table.found(wrong, table.header)
        column = header.index(str(wrong.path[min(1, len(wrong.path) - 1)]))
        return table.found(wrong, table.rows[case.index], path=(case.index, *wrong.path), column=column)

    for index, row in enumerate(table.rows):
        if table.begins_with_sign(row) and not _ERROR.search(row.cells[0]):
            problems.append(table.found(_COMMENT, row, path=(index,)))
            continue
        if len(row.cells) != len(header):
            problems.append(table.found(_ragged(len(row.cells), len(header), table.separator), row, path=(index,)))
            continue
        cells = dict(zip(header, row.cells, strict=True))
        given: JsonObject = {key: cell for key, cell in cells.items() if cell and key in declared and key != _NAME}
        written.append(_WrittenCase(index=index, name=cells.get(_NAME), inputs=given, line=row.first))
    if table.flaw is not None:
        problems.append(table.flaw)
    return _checked(written, declared, place, reported=problems)


def _checked(
    written: Sequence[_WrittenCase],
    declared: Mapping[str, Input],
    place: _Place,
    *,
    reported: Iterable[Problem] = (),
    source: Callable[[ValuePath], str] | None = None,
) -> Cases:
    """`source` gives the part of a value as it is in its file; without it all values are texts."""
    problems, check = list(reported), _CaseCheck(declared=declared, source=source)
    cases = []
    for case in written:
        given: JsonObject = {}
        problems += [place(case, wrong) for wrong in check.mistakes(case, into=given)]
        cases.append(Case(name=case.name or "", inputs=given))
    lacking, some = _lacking(written, declared, place, in_cells=source is None)
    return Cases(cases=tuple(cases), problems=_no_more(in_order([*problems, *some])), lacking=lacking)


class _CaseCheck(Struct, frozen=True, kw_only=True):
    """`named` holds the first case of each name, `exposed` are the inputs that have been warned of."""

    declared: Mapping[str, Input]
    source: Callable[[ValuePath], str] | None
    named: dict[str, _WrittenCase] = field(default_factory=dict)
    exposed: set[str] = field(default_factory=set)

    def mistakes(self, case: _WrittenCase, *, into: JsonObject) -> Iterator[Finding]:
        """What is wrong with a case; sound values go `into` its inputs."""
        if case.name is not None:
            yield from self._name(case.name, case)
        for key, value in case.inputs.items():
            yield from self._input(key, value, case.index, into=into)

    def _name(self, name: str, case: _WrittenCase) -> Iterator[Finding]:
        if not name:
            yield Finding(code="E108", message="this case has no name", path=(_NAME,))
            return
        yield from _templates(name, (_NAME,))
        first = self.named.setdefault(name, case)
        if first is not case and "{{" not in name:
            message = f"two cases are called `{name}`: this case and that in line {first.line}"
            yield Finding(code="E111", message=message, hint="give one of them another name", path=(_NAME,))
        alike = self.named.setdefault(f"{name.casefold()}\n", case)
        if (name != name.strip() or alike.name != name) and _NAME not in self.exposed:
            self.exposed.add(_NAME)
            message, hint = f"the name `{name}` begins or ends with a blank", "delete it"
            if name == name.strip():
                message = f"`{name}` differs from `{alike.name}` in line {alike.line} only by the case of letters"
                hint = "both are carried out: delete this case if it is the same"
            yield Finding(code="E109", message=message, hint=hint, path=(_NAME,), warning=True)

    def _input(self, key: str, value: Json, index: int, *, into: JsonObject) -> Iterator[Finding]:
        at: ValuePath = ("inputs", key)
        if key not in self.declared:
            message, hint = unknown_input(key, self.declared)
            yield Finding(code="E131", message=message, hint=hint, path=at, at_key=True)
            return
        if self.declared[key].secret and key not in self.exposed:
            self.exposed.add(key)
            message = f"`{key}` is secret, but its value is written here for everybody to read"
            hint = "leave it out: the value can come from the environment or a file"
            yield Finding(code="E107", message=message, hint=hint, path=at, at_key=True, warning=True)
        templates, source = list(_templates(value, at)), self.source
        yield from templates
        if templates:
            return
        written = None if source is None else lambda inner: source((index, *at, *inner))
        try:
            into[key] = fit(self.declared[key], value, is_text=source is None, written=written)
        except UnfitError as unfit:
            yield replace(unfit.finding, path=(*at, *unfit.finding.path))
            return
        if into[key] is value and source is None and key not in self.exposed and _ODD.search(str(value)):
            self.exposed.add(key)
            message = f"`{value}` may not be what was written in the spreadsheet"
            yield Finding(code="E109", message=message, hint=hints.hint("cells", "", value), path=at, warning=True)
        elif source is None and is_number(into[key]) and GROUPED.fullmatch(str(value)) and key not in self.exposed:
            self.exposed.add(key)
            message = f"`{value}` is read as {compact(into[key])}: the point begins a fraction"
            hint = f"write `{str(value).replace('.', '')}` if it parts thousands"
            yield Finding(code="E109", message=message, hint=hint, path=at, warning=True)


def _templates(value: Json, at: ValuePath) -> Iterator[Finding]:
    for path, text in texts_in(value):
        hint = "write the value itself: a value that is worked out belongs into `vars`"
        line = text[: text.index("{{")].count("\n")
        message = "no template is read here"
        yield Finding(code="E122", message=message, hint=hint, path=(*at, *path), part="{{", line=line)


def _lacking(
    written: Sequence[_WrittenCase], declared: Mapping[str, Input], place: _Place, *, in_cells: bool
) -> tuple[dict[str, Problem], list[Problem]]:
    """The inputs that no case gives, with their problems, and the problems of cases that lack what others give."""
    lacking: dict[str, Problem] = {}
    some: list[Problem] = []
    for name, wanted in declared.items():
        without = [case for case in written if name not in case.inputs] if wanted.required else []
        if without and len(without) == len(written):
            message = f"no case gives the input `{name}`, which is required"
            elsewhere = how_to_give(wanted)
            hint = elsewhere if wanted.secret else f"add it to the cases, or {elsewhere}"
            hint = "write `case.name`, or call the input otherwise: `name` names a case" if name == _NAME else hint
            lacking[name] = place(None, Finding(code="E130", message=message, hint=hint, at_key=True))
            continue
        message = f"this case gives no `{name}`, which is required"
        value = "write a value, as an empty cell is none" if in_cells else "write a value"
        hint = f"{value}, or give the input `{name}` a `default`; `-i` would give all cases one value"
        wrong = Finding(code="E130", message=message, hint=hint, path=("inputs", name), at_key=True)
        some += [place(case, wrong) for case in without]
    return lacking, some


def _no_more(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """The problems, as many as a person reads."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    left = len(problems) - MOST_PROBLEMS
    last = replace(problems[MOST_PROBLEMS - 1], hint=f"{left:,} more mistakes in the cases are not shown")
    return (*problems[: MOST_PROBLEMS - 1], last)


def _header(table: Table, declared: Mapping[str, Input]) -> Iterator[Problem]:
    cells, known = table.header.cells, (_NAME, *declared)
    near = {cell: suggest(cell, known) for cell in cells if cell not in known}
    if len(cells) > 1 and not any(cell in known or near[cell] for cell in cells):
        message = f"the cases have no header: the first line holds neither `{_NAME}` nor an input of the job"
        begin = f"begin it with `{','.join(known[: _SHOWN + 1])}`"
        yield table.found(Finding(code="E105", message=message, hint=begin), table.header)
        return
    if _NAME not in cells and _NAME not in near.values():
        shown = ",".join((_NAME, *cells[:_SHOWN])) + (",…" if len(cells) > _SHOWN else "")
        hint = f"add it, it names each case: `{shown}`"
        yield table.found(Finding(code="E105", message=f"the cases have no column `{_NAME}`", hint=hint), table.header)
    for column, cell in enumerate(cells):
        wrong = None
        if not cell:
            hint = "name it, or remove the comma from every line"
            wrong = Finding(code="E108", message="a column has no name", hint=hint)
        elif cell in cells[:column]:
            wrong = Finding(code="E111", message=f"two columns are called `{cell}`")
        elif cell not in known:
            message, hint = unknown_input(cell, declared)
            wrong = Finding(code="E131", message=message, hint=f"did you mean `{near[cell]}`?" if near[cell] else hint)
        if wrong is not None:
            yield table.found(wrong, table.header, column=column)


def _ragged(there: int, wanted: int, separator: str) -> Finding:
    sign = "semicolon" if separator == ";" else "comma"
    message = f"this line has {plural(there, 'cell')}, and the header {plural(wanted, 'column')}"
    hint = f"write the {sign} of an empty cell, too"
    if there > wanted:
        hint = f"put a value that holds a {sign} in double quotes"
    return Finding(code="E136", message=message, hint=hint)
