"""Warnings of entities and columns of a folder's doubles that nothing fills, and that are near to a filled name.

Names may be right, so first letters, words of other tools, other numbers, and Creatio's own names are no typos.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from runner.foundation.hints import table
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import folded, near
from runner.foundation.values import JsonObject, ValuePath
from runner.reading.collector import ProblemCollector
from runner.reading.document import Document
from runner.sandbox.build import ColumnUse, column_uses
from runner.sandbox.doubles import STAMPS, Double, Insert, Update

_SHORTEST = 4  # letters of a word that is no other's typo by chance; in case alone shorter ones may differ
_OWN_PREFIX: Final = lazy_pattern(r"Usr(?=[A-Z])")


def check(doubles: Iterable[tuple[Double, Document]], records: Mapping[str, Iterable[JsonObject]]) -> Iterator[Problem]:
    """Columns that no record has, and that are near to a column that is filled: warnings."""
    found = [*doubles]
    first = {entity: {"Id", *STAMPS, *(column for row in rows for column in row)} for entity, rows in records.items()}
    filled = {entity: set(columns) for entity, columns in first.items()}
    for deed in (activity.deed for double, _ in found for activity in double.activities):
        if isinstance(deed, Insert):
            filled.setdefault(deed.entity, {"Id"}).update(deed.values)
        elif isinstance(deed, Update):
            filled.get(deed.entity, set()).update(deed.values)
    for double, document in found:
        collector = ProblemCollector(document=document)
        for use in column_uses(double):
            _check_use(use, collector, first=first.get(use.entity, ()), filled=filled)
        yield from collector.problems


def check_records(document: Document, records: Mapping[str, list[JsonObject]]) -> Iterator[Problem]:
    """A column that a single record has, where all others have a column that is called nearly so."""
    collector = ProblemCollector(document=document)
    for entity, rows in records.items():
        held = [frozenset(row) | {"Id"} for row in rows]
        counts: dict[str, int] = {}
        for column in (column for row in held for column in row):
            counts[column] = counts.get(column, 0) + 1
        for index, row in enumerate(rows):
            if not index and len(rows) <= 2:  # noqa: PLR2004  of two records the second is reported
                continue
            known = [name for name, times in counts.items() if name not in row and times == len(rows) - 1]
            known += ["Id"] if "Id" not in row else []
            for column in (column for column in row if counts[column] == 1):
                message = f"no other record of `{entity}` has `{column}`"
                _report(collector, message, typo_of(column, known), (entity, index, column))
    yield from collector.problems


def typo_of(word: str, known: Collection[str]) -> str | None:
    """The nearest of `known`, None where `word` is among them, or is most probably right as it is."""
    if word in known:
        return None
    found = sorted(near(word, known, typos=1))
    in_another_case = next((name for distance, name in found if distance == 0), None)
    if in_another_case is not None or _is_standard(word):
        return in_another_case
    return next((name for _, name in found if _may_be_mistyped(folded(word), folded(name))), None)


def _check_use(
    use: ColumnUse, collector: ProblemCollector, *, first: Collection[str], filled: Mapping[str, Collection[str]]
) -> None:
    """A change that starts a process is made from outside: nobody knows what fills its record."""
    if use.path[0] == "starts_on":
        return
    if use.names_entity and use.entity not in filled:
        message = f"nothing fills `{use.entity}`, so that it never has a record"
        _report(collector, message, typo_of(use.entity, filled), use.path, at_key=False)
    elif use.filled_beside is not None and use.column not in first:
        free = [column for column in first if column not in use.filled_beside]
        message = f"no record of `{use.entity}` has `{use.column}`"
        _report(collector, message, typo_of(use.column, free), use.path)
    elif use.filled_beside is None and use.entity in filled:
        message = f"nothing fills `{use.column}` of `{use.entity}`, so that it is always null"
        other = typo_of(use.column, filled[use.entity])
        _report(collector, message, other, use.path, at_key=use.at_key, line=use.line, part=f"row.{use.column}")


def _report(
    collector: ProblemCollector,
    message: str,
    other: str | None,
    path: ValuePath,
    *,
    at_key: bool = True,
    line: int = 0,
    part: str | None = None,
) -> None:
    if other is None:
        return
    found = Finding(code="E107", message=message, hint=f"did you mean `{other}`?", at_key=at_key, warning=True)
    span = None if at_key or part is None else collector.document.name_span(path, line=line, name=part)
    collector.add(found, path, span=span)


def _is_standard(word: str) -> bool:
    bare = _OWN_PREFIX.sub("", word, count=1)
    standard = set(str(table("standard_words", room="sandbox")).split())
    return bare in standard or bare.removesuffix("Id") in standard


def _may_be_mistyped(word: str, other: str) -> bool:
    """Whether two words, a typo apart, are long enough and differ in more than a digit."""
    return min(len(word), len(other)) >= _SHORTEST and _letters(word) != _letters(other)


def _letters(word: str) -> str:
    return "".join(sign for sign in word if not sign.isdigit())
