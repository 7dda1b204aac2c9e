"""Texts of a job read for their types: each complaint becomes a problem at its text.

What cannot be read has been told before, and is unknown here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.expressions import parse
from runner.expressions.always import no_bound
from runner.expressions.conditions import comparison_hint, operand_mistake
from runner.expressions.infer import expression_type, node_type, template_type
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
from runner.foundation.values import Json, Path
from runner.reading.collector import ProblemCollector


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling(ProblemCollector):
    def expression(self, written: Json, path: Path, names: Mapping[str, Type]) -> Type:
        """The type of a bare expression. A boolean or a number stands for itself."""
        if not isinstance(written, str):
            return of_value(written)
        try:
            parsed = parse.expression(written)
        except TemplateProblem:
            return UNKNOWN
        one, complaints = expression_type(parsed, names)
        self.add_all_in_text(complaints, path, written)
        return one

    def condition(self, written: Json, path: Path, names: Mapping[str, Type]) -> None:
        """An expression that must give a boolean; of a constant others tell."""
        before = len(self.problems)
        one, parsed = self.expression(written, path, names), _parsed(written)
        if parsed is None or parsed.is_constant or len(self.problems) > before:
            return
        if (wrong := operand_mistake(parsed, names)) is not None:
            self.add_in_text(wrong, path, parsed.text)
        elif not one.may_be(BOOLEAN):
            message = f"`{parsed.text}` gives {in_words(one)}, and a condition is true or false"
            self.report("E175", message, path, hint=comparison_hint(parsed.text, one, parsed.tree))
        elif (counted := no_bound(parsed.tree)) is not None and node_type(counted, names).kinds != ANYTHING:
            message = f"`{parsed.text}` is true of every list and text, the empty ones too"
            self.report("E117", message, path, hint="write `> 0`, if it must not be empty", warning=True)

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

    def _template(self, text: str, path: Path, names: Mapping[str, Type]) -> Type:
        try:
            parsed = parse.template(text)
        except TemplateProblem:
            return UNKNOWN
        one, complaints = template_type(parsed, names)
        self.add_all_in_text(complaints, path, text)
        return one


def _parsed(written: Json) -> Expression | None:
    """A bare expression, None where there is none that can be read."""
    if not isinstance(written, str):
        return None
    try:
        return parse.expression(written)
    except TemplateProblem:
        return None
