"""What is said of a wrong name: a record, and the sentences that all kinds of names share."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from runner.expressions.parse import Name
from runner.foundation.problems import Finding
from runner.foundation.sentences import begun
from runner.foundation.suggestions import suggest

_ASKS = re.compile(r"\|\s*default\b|\bdefined\b|\bundefined\b|\bnone\b")
KNOWN_HERE = "known here: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake(Finding):
    """What is wrong with a name; `part` is the piece of it that is wrong, as it is written.

    Where the text itself asks whether there is a value, nothing is wrong with `unless_asked`, and what is
    `asked_is_enough` is only warned of.
    """

    part: str = ""
    unless_asked: bool = False
    asked_is_enough: bool = False


def unquoted(wrong: Mistake, text: str) -> Mistake:
    """`wrong`, where nothing better is known of a word that is compared: a text that lost its quotes."""
    word = re.escape(wrong.part)
    if wrong.code != "E126" or not (wrong.hint or "").startswith(KNOWN_HERE):
        return wrong
    if not re.search(
        rf"(?:[=!]=\s*{word}|\battribute\s*=\s*{word}|attr\(\s*{word}|\bin\s*\[[^\]]*\b{word})(?![\w.])", text
    ):
        return wrong
    return replace(wrong, hint=f'a text stands in quotes: `"{wrong.part}"`')


def as_asked(wrong: Mistake, text: str, names: Iterable[Name]) -> Mistake | None:
    """`wrong`, as far as it is a mistake in a text that may itself ask whether there is a value."""
    if _ASKS.search(text) is not None:
        return None if wrong.unless_asked else replace(wrong, warning=wrong.warning or wrong.asked_is_enough)
    asks_whole = wrong.unless_asked and any(name.path == (wrong.part,) for name in names)
    return None if asks_whole else wrong


_DASHED = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.\w+)*)((?:-[A-Za-z_]\w*)+)((?:\.\w+)*)(?![\w(-])")


def dashes_in(text: str) -> Mapping[str, re.Match[str]]:
    """The paths in a text that go on with a dash, by what is before it."""
    return {found[1]: found for found in _DASHED.finditer(text)}


def with_dashes(name: Name, dashes: Mapping[str, re.Match[str]]) -> Name | None:
    """`steps.a.outputs.order-id`, of which `name` is all before the dash: to an expression a dash is a minus."""
    if not all(isinstance(part, str) for part in name.path):
        return None
    found = dashes.get(".".join(map(str, name.path)))
    if found is None:
        return None
    return replace(name, path=(*name.path[:-1], f"{name.path[-1]}{found[2]}", *found[3].split(".")[1:]))


def a_minus(name: Name, whole: Name) -> Mistake:
    """What is wrong with a key that holds dashes where nothing is known of the keys."""
    key = str(whole.path[len(name.path) - 1])
    around = ".".join(map(str, name.path[:-1]))
    hint = f'write `{around}["{key}"]`' if around else None
    return Mistake(code="E126", message=f"the `-` in `{key}` is a minus here", hint=hint, part=key)


def unknown(message: str, hint: str | None, *, part: str | int) -> Mistake:
    return Mistake(code="E126", message=message, hint=hint, part=str(part))


def later(part: str, message: str, hint: str | None) -> Mistake:
    return Mistake(code="E127", message=message, hint=hint, part=part)


def not_given(message: str, hint: str | None, part: str | int) -> Mistake:
    return Mistake(code="E128", message=message, hint=hint, part=str(part))


def nearest(word: str | int, among: Collection[str], *, prefix: str = "") -> str | None:
    near = suggest(str(word), among)
    return near and f"did you mean `{prefix}{near}`?"


def all_of(kind: str, names: Collection[str]) -> str:
    return f"{kind}: {begun(sorted(names)) if names else 'none'}"
