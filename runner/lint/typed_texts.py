"""The types of the texts of a document: what goes wrong in them for sure is reported at the text.

A text that cannot be read is reported elsewhere, and unknown here.
"""

from collections.abc import Callable, Mapping

from runner.expressions import parse, typed
from runner.expressions.conditions import comparison_hint, no_bound, operand_mistake
from runner.expressions.infer import expression_type, node_type, template_type
from runner.foundation.guids import is_guid
from runner.foundation.values import Json, Path
from runner.reading.collector import ProblemCollector


class TypeLint(ProblemCollector, frozen=True, kw_only=True):
    """`names` are always the types of what an expression may use."""

    def read(
        self, read: Callable[[str], parse.Read], text: str, path: Path, names: Mapping[str, typed.Type]
    ) -> parse.Read | None:
        """What `read` makes of the text at `path`; None where nothing is to be concluded from it."""
        del path, names
        return parse.readable(read, text)

    def expression(self, written: Json, path: Path, names: Mapping[str, typed.Type]) -> typed.Type:
        """The type of a bare expression, which may also be a boolean or a number."""
        if not isinstance(written, str):
            return typed.type_of(written)
        parsed = self.read(parse.expression, written, path, names)
        given, wrong = expression_type(parsed, names) if parsed is not None else (typed.UNKNOWN, [])
        self.add_all_in_text(wrong, path, written)
        return given

    def condition(self, written: Json, path: Path, names: Mapping[str, typed.Type]) -> None:
        """An expression that must give a boolean. Constants are judged elsewhere."""
        before = len(self.problems)
        given = self.expression(written, path, names)
        parsed = parse.readable(parse.expression, written) if isinstance(written, str) else None
        if parsed is None or parsed.is_constant or len(self.problems) > before:
            return
        if (wrong := operand_mistake(parsed, names)) is not None:
            self.add_in_text(wrong, path, parsed.text)
        elif not given.may_be(typed.BOOLEAN):
            message = f"`{parsed.text}` gives {typed.in_words(given)}, and a condition is true or false"
            self.report("E175", message, path, hint=comparison_hint(parsed.text, given, parsed.tree))
        elif (counted := no_bound(parsed.tree)) is not None and node_type(counted, names).kinds != typed.ANYTHING:
            message = f"`{parsed.text}` is true of every list and text, the empty ones too"
            self.report("E117", message, path, hint="write `> 0`, if it must not be empty", warning=True)

    def value(self, value: Json, path: Path, names: Mapping[str, typed.Type]) -> typed.Type:
        """The type of a value in which every text may be a template."""
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

    def _template(self, text: str, path: Path, names: Mapping[str, typed.Type]) -> typed.Type:
        parsed = self.read(parse.template, text, path, names)
        given, wrong = template_type(parsed, names) if parsed is not None else (typed.UNKNOWN, [])
        self.add_all_in_text(wrong, path, text)
        return given
