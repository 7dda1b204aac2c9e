"""The cases of a job in a list: `cases` itself, or a JSON file of the same shape. Each value is held against its input.

What the schema says of the list has been said before; what has another shape is left out here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.expressions.parse import texts_in
from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path
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
from runner.reading.document import Document


def in_list(document: Document, path: Path, inputs: Iterable[Input]) -> Cases:
    """The cases in the list at `path`."""
    reading = _Reading(document=document, declared={one.name: one for one in inputs}, named={}, shown=set())
    found = [reading.case(record(item), (*path, index)) for index, item in enumerate(_list_at(document.data, path))]
    problems = [problem for _, told in found for problem in told]
    cases = tuple(case for case, _ in found)
    return with_lacking(Cases(cases=cases, problems=no_more(problems)), reading.lacking(cases, path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """`named` holds where each name stands first, `shown` the secret inputs that have been warned of."""

    document: Document
    declared: Mapping[str, Input]
    named: dict[str, Path]
    shown: set[str]

    def case(self, written: JsonObject, path: Path) -> tuple[Case, list[Problem]]:
        name, given = written.get("name"), record(written.get("inputs"))
        problems = list(self._name(name, (*path, "name")))
        for key, value in given.items():
            problems.extend(self._value(key, value, (*path, "inputs", key)))
        if any(one.secret for one in self.declared.values() if one.name in given):
            problems = [replace(problem, excerpt=None) for problem in problems]
        return Case(name=name if isinstance(name, str) else "", inputs=given), problems

    def lacking(self, cases: Sequence[Case], path: Path) -> Iterator[tuple[str | None, Problem]]:
        """What no case gives, by the names of inputs; without a name, a case that lacks what others give."""
        for declared, lacking in lacked(self.declared.values(), [case.inputs for case in cases]):
            if len(lacking) == len(cases):
                code, message, hint = lacked_by_all(declared)
                yield declared.name, self.document.problem(code, message, path=path, at_key=True, hint=hint)
                continue
            code, message, hint = lacked_by_one(declared)
            for index in lacking:
                at = (*path, index, "inputs")
                yield None, self.document.problem(code, message, path=at, at_key=True, hint=hint)

    def _name(self, name: Json, path: Path) -> Iterator[Problem]:
        if not isinstance(name, str) or not name:
            return
        yield from self._braces(name, path)
        first = self.named.setdefault(name, path)
        if first != path:
            message = twice(name, line=self.document.line_of(first))
            yield self.document.problem("E111", message, path=path, hint="give one of them another name")

    def _value(self, name: str, value: Json, path: Path) -> Iterator[Problem]:
        declared = self.declared.get(name)
        if declared is None:
            message, hint = unknown_input(name, self.declared)
            yield self.document.problem("E131", message, path=path, at_key=True, hint=hint)
            return
        if declared.secret and name not in self.shown:
            self.shown.add(name)
            yield self.document.problem(
                "E107", exposed(name), path=path, at_key=True, hint=IN_CLEAR, severity=Severity.WARNING
            )
        in_vain = list(self._braces(value, path))
        yield from in_vain or self._fit(declared, value, path)

    def _fit(self, declared: Input, value: Json, path: Path) -> Iterator[Problem]:
        try:
            fit(declared, value, written=lambda inner: self.document.written((*path, *inner)))
        except UnfitError as unfit:
            yield self.document.problem(unfit.code, unfit.message, path=(*path, *unfit.path), hint=unfit.hint)

    def _braces(self, value: Json, path: Path) -> Iterator[Problem]:
        for inner, text in texts_in(value):
            at = (*path, *inner)
            span = self.document.name_span(at, line=text[: text.index("{{")].count("\n"), name="{{")
            yield self.document.problem("E122", "no template is read here", path=at, hint=IN_VAIN, span=span)


def _list_at(value: Json, path: Path) -> list[Json]:
    for key in path:
        value = record(value).get(str(key))
    return items(value)
