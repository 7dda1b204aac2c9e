"""Whether a quote can be in a value of a job: where the value is written out, in it; else by what is declared of it.

What is not certain can. Of what a step gives types know more: `of_result` asks them.
"""

import re
from typing import Final

from msgspec import Struct, field

from runner.expressions import parse, quotes
from runner.expressions.parse import Expression, TemplateProblem
from runner.expressions.quotes import OfName
from runner.foundation.lazy import lazy_pattern
from runner.foundation.raw import items, record
from runner.foundation.values import Json, Path
from runner.job.outline import Outline, RawStep

_CLASS = r"\[(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w .:@/#+,]|\\[dw.-])+-?\]"
_WITHOUT_QUOTES = lazy_pattern(rf"\^(?:{_CLASS}|[\w :@/#,-]|\\[dw.-]|[+*?]|\{{\d+(?:,\d*)?\}})*\$", re.ASCII)
"""A pattern of the whole text fits no quote if each of its parts is here."""
_FORMATS: Final = frozenset({"uuid", "date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6"})
_NEVER: Final = frozenset({"process_id", "process_status", "attempts", "seconds", "status", "index"})
"""Keys of a step, and names of a turn, that are ids, numbers and words of ours."""


class QuoteSearch(Struct, frozen=True, kw_only=True):
    """The values that are known at a step. `of_result` is asked of what steps give, and of nothing else.

    `seen` are the texts that were searched before, and have no quote.
    """

    job: Outline
    step: RawStep | None
    of_result: OfName
    seen: set[str] = field(default_factory=set)

    def may_be_in(self, parsed: Expression) -> bool:
        self.seen.clear()
        return self._in_expression(parsed)

    def _in_expression(self, parsed: Expression) -> bool:
        return quotes.may_hold_a_quote(parsed, self._in_name)

    def _in_name(self, path: Path) -> bool:
        root, keys = path[0], path[1:]
        match root:
            case "run" | "target":
                return False
            case "case":
                return keys[:1] != ("index",)
            case "inputs":
                return not keys or _in_schema(self.job.inputs.get(str(keys[0])), keys[1:])
            case "vars":
                return not keys or self._inside(self.job.vars.get(str(keys[0])), keys[1:])
            case "item":
                return self._in_turns(keys)
            case "steps":
                return not (len(keys) > 1 and keys[1] in _NEVER) and self._in_result(path)
            case _:
                return root not in _NEVER and self._in_result(path)

    def _in_result(self, path: Path) -> bool:
        """An `Id` is a GUID everywhere in Creatio."""
        return path[-1] != "Id" and self.of_result(path)

    def _in_turns(self, keys: Path) -> bool:
        turns = self.step.fields.get("for_each") if self.step is not None else None
        if isinstance(turns, list):
            return any(self._inside(turn, keys) for turn in turns)
        return keys[-1:] != ("Id",) and (not isinstance(turns, str) or self._in_list(turns, keys))

    def _in_list(self, turns: str, keys: Path) -> bool:
        """The items of a list that an expression gives."""
        asked = f"{turns} {keys}"
        if asked in self.seen:
            return False
        self.seen.add(asked)
        try:
            parsed = parse.expression(turns)
        except TemplateProblem:
            return True
        if parsed.path is not None and parsed.path[0] != "item":
            return self._in_name((*parsed.path, 0, *keys))
        return self._in_expression(parsed)

    def _inside(self, written: Json, keys: Path) -> bool:
        """A value that is written in the job; `keys` lead into it as far as it is no template."""
        for depth, key in enumerate(keys, 1):
            match written:
                case dict() if key in written:
                    written = written[str(key)]
                case list() if isinstance(key, int) and written:
                    return any(self._inside(item, keys[depth:]) for item in written)
                case _:
                    break
        return self._in_texts(written)

    def _in_texts(self, written: Json) -> bool:
        match written:
            case str():
                return self._in_text(written)
            case list():
                return any(map(self._in_texts, written))
            case dict():
                return any("'" in key for key in written) or any(map(self._in_texts, written.values()))
            case _:
                return False

    def _in_text(self, text: str) -> bool:
        if text in self.seen:
            return False
        self.seen.add(text)
        try:
            parts = parse.template(text).parts
        except TemplateProblem:
            return True
        return any("'" in part if isinstance(part, str) else self._in_expression(part) for part in parts)


def _in_schema(schema: Json, keys: Path) -> bool:
    """The value at `keys` in a value that fits `schema`."""
    for key in keys:
        part = (
            record(schema).get("items") if isinstance(key, int) else record(record(schema).get("properties")).get(key)
        )
        if part is None:
            return True
        schema = part
    return _may_fit(schema)


def _may_fit(schema: Json) -> bool:
    """Whether a text with a quote fits `schema`, or is in what does."""
    if not isinstance(schema, dict):
        return True
    listed = [schema["const"]] if "const" in schema else items(schema.get("enum"))
    if listed:
        return any("'" in str(value) for value in listed)
    kinds = schema.get("type")
    named = items(kinds) if isinstance(kinds, list) else [kinds] if kinds else []
    if not named or "object" in named or ("array" in named and _may_fit(schema.get("items"))):
        return True
    pattern = schema.get("pattern")
    has_pattern = isinstance(pattern, str) and _WITHOUT_QUOTES.fullmatch(pattern) is not None
    return "string" in named and not has_pattern and schema.get("format") not in _FORMATS
