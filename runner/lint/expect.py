"""What a schema cannot say of expectations: one that is always met, or never, checks nothing."""

import re

from runner.expressions import parse
from runner.expressions.always import always_true
from runner.expressions.conditions import inside_quotes
from runner.expressions.parse import TemplateProblem
from runner.foundation.raw import items
from runner.foundation.values import Json, Path, compact
from runner.lint.schemas import sound
from runner.lint.scopes import OF_AN_ATTEMPT, Scope
from runner.lint.texts import Texts
from runner.reading.document import IN_ONE_COLUMN

_MOST_PIECES = 8
_CONDITION = re.compile(r"[=!<>]=|[<>]|\b(?:is|in)\b")
_DASH = re.compile(r"\s-\s")
_ANNOTATIONS = frozenset(
    {"title", "description", "examples", "default", "deprecated", "$comment", "$schema", "$id", "$defs"}
)
_SAY_MORE = "compare with what the step gives, as in `result | length > 0`"


def expectations(written: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    """Read the list behind `expect`."""
    pieces: set[int] = set()
    for index, item in enumerate(items(written)):
        at = (*path, index)
        if index in pieces:
            continue
        if isinstance(item, str):
            pieces |= _cut_off(items(written), index)
        match item:
            case dict():
                _that(item.get("that"), (*at, "that"), scope=scope, texts=texts)
                texts.value(item.get("message"), (*at, "message"), scope)
                if "schema" in item:
                    _schema(item["schema"], (*at, "schema"), texts)
            case _:
                _that(item, at, scope=scope, texts=texts)


def _cut_off(written: list[Json], index: int) -> set[int]:
    """The items behind `index` that YAML has cut off it, at the commas of `[f(a, b)]`: all together can be read."""
    text = written[index]
    if not isinstance(text, str) or _can_be_read(text):
        return set()
    for end in range(index + 1, min(len(written), index + _MOST_PIECES)):
        following = written[end]
        text = f"{text}, {following if isinstance(following, str) else compact(following)}"
        if _can_be_read(text):
            return set(range(index + 1, end + 1))
    return set()


def _can_be_read(text: str) -> bool:
    try:
        parse.expression(text)
    except TemplateProblem as problem:
        return problem.code != "E120"
    return True


def _that(that: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    if isinstance(that, bool | int | float):
        texts.report("E117", f"`{compact(that)}` says nothing about the step", path, hint=_SAY_MORE)
        return
    if isinstance(that, str) and _are_two(that) and texts.document.joined_items(path):
        message = "two expectations in one: the second is indented further than the first"
        texts.report("E120", message, path, hint=IN_ONE_COLUMN)
        return
    parsed = texts.expression(that, path, scope)
    if parsed is None:
        return
    if parsed.compares_constants:
        hint = "compare with what the step gives; a name stands without quotes"
        texts.report("E117", f"`{parsed.constants}` compares constants", path, hint=hint, warning=True)
    elif parsed.is_constant:
        inner = inside_quotes(parsed)
        hint = _SAY_MORE if inner is None else f"leave the inner quotes out: `{inner}`"
        texts.report("E117", f"`{parsed.text}` says nothing about the step", path, hint=hint)
    elif parsed.compares_itself:
        message = f"`{parsed.text}` compares something with itself"
        texts.report("E117", message, path, hint=_SAY_MORE, warning=True)
    elif parsed.tree is not None and always_true(parsed.tree, given=OF_AN_ATTEMPT):
        message = f"`{parsed.text}` is met whatever the step gives"
        texts.report("E117", message, path, hint=_SAY_MORE, warning=True)


def _are_two(that: str) -> bool:
    """Whether what stands on either side of a dash could be an expectation."""
    parts = _DASH.split(that)
    return len(parts) > 1 and all(map(_CONDITION.search, parts))


def _schema(schema: Json, path: Path, texts: Texts) -> None:
    texts.plain(schema, path)
    if sound(schema, path, texts) and _fits_all(schema):
        hint = "say what is expected, as in `schema: {type: array, minItems: 1}`"
        texts.report("E117", "this schema fits every value", path, hint=hint, warning=True)


def _fits_all(schema: Json) -> bool:
    """Whether nothing in `schema` says what a value must be."""
    if isinstance(schema, dict):
        return all(key in _ANNOTATIONS or key.startswith("x-") for key in schema)
    return schema is True
