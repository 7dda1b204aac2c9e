"""Texts of a job read for their types: each complaint becomes a problem at its text.

What cannot be read has been told before, and is unknown here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.expressions import parse
from runner.expressions.always import no_bound
from runner.expressions.complaints import Complaint
from runner.expressions.conditions import comparison, of_operands
from runner.expressions.inferring import of_expression, of_template, type_of
from runner.expressions.parse import Expression, TemplateProblem
from runner.expressions.typed import (
    A_GUID,
    ANYTHING,
    BOOLEAN,
    TEXT,
    UNKNOWN,
    Type,
    any_of,
    in_words,
    list_of,
    of_value,
    record_of,
)
from runner.foundation.guids import is_guid
from runner.foundation.problems import Problem, Severity
from runner.foundation.values import Json, Path
from runner.lint.name_mistakes import MOST_IN_A_TEXT
from runner.reading.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """`found` collects what is wrong with the texts of one document."""

    document: Document
    found: list[Problem] = field(default_factory=list)

    def expression(self, written: Json, path: Path, names: Mapping[str, Type]) -> Type:
        """The type of a bare expression. A boolean or a number stands for itself."""
        if not isinstance(written, str):
            return of_value(written)
        try:
            parsed = parse.expression(written)
        except TemplateProblem:
            return UNKNOWN
        one, complaints = of_expression(parsed, names)
        self._complaints(complaints, written, path)
        return one

    def condition(self, written: Json, path: Path, names: Mapping[str, Type]) -> None:
        """An expression that must give a boolean; of a constant others tell."""
        before = len(self.found)
        one, parsed = self.expression(written, path, names), _parsed(written)
        if parsed is None or parsed.is_constant or len(self.found) > before:
            return
        if (wrong := of_operands(parsed, names)) is not None:
            self._complaints([wrong], parsed.text, path)
        elif not one.may_be(BOOLEAN):
            message = f"`{parsed.text}` gives {in_words(one)}, and a condition is true or false"
            self.tell("E175", message, path, hint=comparison(parsed.text, one, parsed.tree))
        elif (counted := no_bound(parsed.tree)) is not None and type_of(counted, names).kinds != ANYTHING:
            message = f"`{parsed.text}` is true of every list and text, the empty ones too"
            self.tell("E117", message, path, hint="write `> 0`, if it must not be empty", warning=True)

    def value(self, value: Json, path: Path, names: Mapping[str, Type]) -> Type:
        """The type of a value in which every text may be a template."""
        match value:
            case str() if "{{" in value:
                return self._template(value, path, names)
            case str():
                return A_GUID if is_guid(value) else Type(kinds=TEXT, holds=value)
            case list():
                items = any_of([self.value(item, (*path, index), names) for index, item in enumerate(value)])
                return list_of(items) if items is not None else of_value(value)
            case dict():
                return record_of(
                    {key: self.value(item, (*path, key), names) for key, item in value.items()}, closed=True
                )
            case _:
                return of_value(value)

    def tell(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        hint: str | None = None,
        at_key: bool = False,
        warning: bool = False,
    ) -> None:
        severity = Severity.WARNING if warning else Severity.ERROR
        problem = self.document.problem(code, message, path=path, hint=hint, at_key=at_key, severity=severity)
        self.found.append(problem)

    def _template(self, text: str, path: Path, names: Mapping[str, Type]) -> Type:
        try:
            parsed = parse.template(text)
        except TemplateProblem:
            return UNKNOWN
        one, complaints = of_template(parsed, names)
        self._complaints(complaints, text, path)
        return one

    def _complaints(self, complaints: list[Complaint], text: str, path: Path) -> None:
        lines = text.split("\n") if complaints else []
        for one in complaints[:MOST_IN_A_TEXT]:
            line = lines[one.line] if one.line < len(lines) else ""
            part = one.part if one.part and one.part in line else (one.part or "").rpartition(".")[2]
            span = self.document.name_span(path, line=one.line, name=part if part and part in line else line.strip())
            severity = Severity.WARNING if one.warning else Severity.ERROR
            self.found.append(
                self.document.problem(one.code, one.message, path=path, hint=one.hint, severity=severity, span=span)
            )


def _parsed(written: Json) -> Expression | None:
    """A bare expression, None where there is none that can be read."""
    if not isinstance(written, str):
        return None
    try:
        return parse.expression(written)
    except TemplateProblem:
        return None
