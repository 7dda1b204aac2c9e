"""Entities and columns that a folder's doubles use, and that most probably are others with a slip of the keyboard.

Any entity and any column may be meant: only what nothing ever fills, and what is near to something that is filled, is
told, and as a warning.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import Json, JsonObject, Path
from runner.reading.document import Document
from runner.sandbox.build import columns_in
from runner.sandbox.doubles import Deed, Delete, Double, Insert, Select, Update
from runner.sandbox.typos import slip_of

_Records = Mapping[str, Iterable[JsonObject]]
_OnRecords = Insert | Select | Update | Delete


def check(doubles: Iterable[tuple[Double, Document]], records: _Records) -> Iterator[Problem]:
    found = [*doubles]
    first = {entity: {"Id", *(column for row in rows for column in row)} for entity, rows in records.items()}
    filled = {entity: set(columns) for entity, columns in first.items()}
    for double, _ in found:
        for deed in (activity.deed for activity in double.activities):
            if isinstance(deed, Insert):
                filled.setdefault(deed.entity, {"Id"}).update(deed.values)
            elif isinstance(deed, Update):
                filled.get(deed.entity, set()).update(deed.values)
    for double, document in found:
        for index, activity in enumerate(double.activities):
            yield from _of_deed(activity.deed, ("activities", index), double, document, first=first, filled=filled)


def slips_of_records(document: Document, records: Mapping[str, list[JsonObject]]) -> Iterator[Problem]:
    """A column that one record alone has, where every other has one that is called nearly so."""
    for entity, rows in records.items():
        held = [frozenset(row) | {"Id"} for row in rows]
        counts: dict[str, int] = {}
        for column in (column for row in held for column in row):
            counts[column] = counts.get(column, 0) + 1
        for index, row in enumerate(rows):
            if index or len(rows) > 2:  # noqa: PLR2004  of two records the second is told
                others = [name for name, times in counts.items() if name not in row and times == len(rows) - 1]
                for column in row:
                    known = [*others, "Id"] if "Id" not in row else others
                    near = slip_of(column, known) if counts[column] == 1 else None
                    if near is not None:
                        path: Path = (entity, index, column)
                        yield _warning(document, f"no other record of `{entity}` has `{column}`", near, path=path)


def _of_deed(
    deed: Deed,
    path: Path,
    double: Double,
    document: Document,
    *,
    first: Mapping[str, Collection[str]],
    filled: Mapping[str, Collection[str]],
) -> Iterator[Problem]:
    if not isinstance(deed, _OnRecords):
        return
    at = (*path, type(deed).__name__.lower())
    if deed.entity not in filled:
        near = slip_of(deed.entity, filled)
        if near is not None:
            message = f"nothing fills `{deed.entity}`, so that it never has a record"
            yield _warning(document, message, near, path=(*at, "entity"), at_key=False)
        return
    if isinstance(deed, Insert | Update):
        yield from _written(deed.values, deed.entity, (*at, "values"), document, first=first.get(deed.entity, ()))
    known = filled[deed.entity]
    for column, place, line, at_key in _read(deed, at, double):
        near = slip_of(column, known)
        if near is not None:
            message = f"nothing fills `{column}` of `{deed.entity}`, so that it is always null"
            warning = Severity.WARNING
            span = None if at_key else document.name_span(place, line=line, name=f"row.{column}")
            hint = f"did you mean `{near}`?"
            yield document.problem("E107", message, path=place, hint=hint, at_key=at_key, span=span, severity=warning)


def _read(deed: _OnRecords, at: Path, double: Double) -> Iterator[tuple[str, Path, int, bool]]:
    """The columns that it reads: each with its place, the line in the text there, and whether it is a key."""
    if isinstance(deed, Select):
        for column in double.parameters[deed.into].items:
            yield column, ("parameters", deed.into, "items", column), 0, True
    if not isinstance(deed, Insert):
        for column, line in columns_in(deed.where):
            yield column, (*at, "where"), line, False
    if isinstance(deed, Update):
        for name, value in deed.values.items():
            for column, line in columns_in(None, value):
                yield column, (*at, "values", name), line, False


def _written(
    values: Mapping[str, Json], entity: str, path: Path, document: Document, *, first: Collection[str]
) -> Iterator[Problem]:
    """Columns that the first records do not have; a double may well fill others, but no slip of theirs."""
    free = [column for column in first if column not in values]
    for column in values:
        near = slip_of(column, free) if column not in first else None
        if near is not None:
            yield _warning(document, f"no record of `{entity}` has `{column}`", near, path=(*path, column))


def _warning(document: Document, message: str, near: str, *, path: Path, at_key: bool = True) -> Problem:
    hint, warning = f"did you mean `{near}`?", Severity.WARNING
    return document.problem("E107", message, path=path, hint=hint, at_key=at_key, severity=warning)
