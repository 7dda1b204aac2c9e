"""The types of the texts of a document: sure failures are reported at the text. Unreadable texts are unknown here."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import field

from runner.expressions import parse, typed
from runner.expressions.conditions import condition_mistakes
from runner.expressions.infer import expression_type, template_type
from runner.foundation.values import Json, ValuePath, is_guid
from runner.reading.collector import ProblemCollector

Judged = TypeVar("Judged")


class TypeLint(ProblemCollector, frozen=True, kw_only=True):
    """The check of texts. `judged`: what was found of a text, by the types of its names."""

    judged: dict[tuple[object, str], tuple[list[typed.Type | None], Any]] = field(default_factory=dict)

    def read(
        self, read: Callable[[str], parse.Read], text: str, path: ValuePath, names: Mapping[str, typed.Type]
    ) -> parse.Read | None:
        """What `read` makes of the text at `path`; None where nothing is to be concluded from it."""
        del path, names
        return parse.readable(read, text)

    def expression(self, written: Json, path: ValuePath, names: Mapping[str, typed.Type]) -> typed.Type:
        """The type of a bare expression, which may also be a boolean or a number."""
        if not isinstance(written, str):
            return typed.type_of(written)
        parsed = self.read(parse.expression, written, path, names)
        given, wrong = (typed.UNKNOWN, []) if parsed is None else self._judge(expression_type, written, parsed, names)
        self.add_all_in_text(wrong, path, written)
        return given

    def condition(self, written: Json, path: ValuePath, names: Mapping[str, typed.Type]) -> None:
        """An expression that must give a boolean. Constants are judged elsewhere."""
        if not isinstance(written, str) or (parsed := self.read(parse.expression, written, path, names)) is None:
            return
        wrong, whole = self._judge(condition_mistakes, written, parsed, names)
        self.add_all_in_text(wrong, path, written)
        if whole is not None:
            self.add(whole, path)

    def _judge(
        self,
        judge: Callable[[parse.Expression, Mapping[str, typed.Type]], Judged],
        written: str,
        parsed: parse.Expression,
        names: Mapping[str, typed.Type],
    ) -> Judged:
        key, types = (judge, written), [names.get(str(name.path[0])) for name in parsed.names]
        known = self.judged.get(key)
        if known is None or known[0] != types or names.get("steps") in types:  # the type of `steps` grows
            known = self.judged[key] = types, judge(parsed, names)
        judged: Judged = known[1]
        return judged

    def value(self, value: Json, path: ValuePath, names: Mapping[str, typed.Type]) -> typed.Type:
        """The type of a value whose texts may be templates."""
        match value:
            case str() if "{{" in value:
                return self._template(value, path, names)
            case str():
                return (
                    typed.A_GUID
                    if is_guid(value)
                    else typed.Type(kinds=typed.TEXT, holds=value, plain="'" not in value)
                )
            case list():
                items = typed.any_of([self.value(item, (*path, index), names) for index, item in enumerate(value)])
                return typed.list_of(items) if items is not None else typed.type_of(value)
            case dict():
                fields = {key: self.value(item, (*path, key), names) for key, item in value.items()}
                return typed.record_of(fields, closed=True)
            case _:
                return typed.type_of(value)

    def _template(self, text: str, path: ValuePath, names: Mapping[str, typed.Type]) -> typed.Type:
        parsed = self.read(parse.template, text, path, names)
        given, wrong = template_type(parsed, names) if parsed is not None else (typed.UNKNOWN, [])
        self.add_all_in_text(wrong, path, text)
        return given
