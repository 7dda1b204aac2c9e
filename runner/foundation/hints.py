"""Hints as data: what people write who know another tool, and what to write here; tables lie in the rooms.

A table is read at the first mistake that needs it. Every scalar is a text: `on`, `no` and `1` need no quotes.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias, cast

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, yaml_flow

Entry: TypeAlias = "str | list[Entry] | dict[str, Entry]"  # what a table holds: texts, lists and records of them

_ROOMS = Path(__file__).parents[1]
_ANY = "any"
_FIELD = lazy_pattern(r"<(\w+)>")


class Rule(Struct, frozen=True, kw_only=True):
    """A rule of a table."""

    wanted: str | None
    at: re.Pattern[str]  # matches the whole place
    value: re.Pattern[str]  # matches the whole value as compact JSON
    hint: str  # with `<name>` for a group, a value of the caller, or a field of `_fields`


@cache
def table(name: str, *, room: str = "language") -> Entry:
    """The table called `name`, for example `words`."""
    import yaml  # noqa: PLC0415  8 ms that only a mistake costs

    text = (_ROOMS / room / "hints" / f"{name}.yaml").read_text(encoding="utf-8")
    return cast("Entry", yaml.load(text, yaml.CBaseLoader))  # noqa: S506  it makes texts, lists and records of them


@cache
def words(name: str, part: str, *, room: str = "language") -> Mapping[str, str]:
    """A part of a table, by each word of its keys."""
    entries = cast("Mapping[str, Mapping[str, str]]", table(name, room=room))[part]
    return {word: here for several, here in entries.items() for word in several.split()}


@cache
def _places(name: str) -> tuple[tuple[re.Pattern[str], Mapping[str, str]], ...]:
    return tuple((re.compile(place), words(name, place)) for place in cast("Mapping[str, Entry]", table(name)))


def at_place(name: str, at: str, word: str) -> str | None:
    """What the table `name` has for a word at the first place that knows it; its places match as a whole."""
    return next((here[word] for place, here in _places(name) if word in here and place.fullmatch(at)), None)


@cache
def rules(name: str) -> tuple[Rule, ...]:
    """The rules of a table in their order: a list, or a list for each kind of wanted value."""
    found = table(name)
    parts = cast("Mapping[str, list[Mapping[str, str]]]", found if isinstance(found, dict) else {_ANY: found})
    return tuple(_rule(entry, None if wanted == _ANY else wanted) for wanted, part in parts.items() for entry in part)


def _rule(entry: Mapping[str, str], wanted: str | None) -> Rule:
    return Rule(
        wanted=wanted,
        at=re.compile(entry.get("at", ".*")),
        value=re.compile(entry.get("value", ".*"), re.DOTALL),
        hint=entry["hint"],
    )


def hint(name: str, at: str, value: Json, *, wanted: str | None = None, **fields: str) -> str | None:
    """The hint of the first rule of the table `name` that fits, None where none does."""
    written = _json(value)
    for rule in rules(name):
        if (rule.wanted is not None or wanted == "word") and rule.wanted != wanted:
            continue
        place, found = rule.at.fullmatch(at), rule.value.fullmatch(written)
        if place is not None and found is not None:
            groups = {**fields, **place.groupdict(""), **found.groupdict("")}
            return filled(rule.hint, {**_fields(at, value), **groups})
    return None


def _fields(at: str, value: Json) -> dict[str, str]:
    """What every hint may name: the last key of the path, and the value as a text, as YAML, as JSON and in words."""
    parts = re.split(r"[,;|\s]+", value.strip()) if isinstance(value, str) else value
    words = map(str, parts) if isinstance(parts, list | dict) else ()
    return {
        "key": at.rpartition("/")[2],
        "text": str(value),
        "value": yaml_flow(value),
        "json": _json(value),
        "words": ", ".join(words),
    }


def filled(text: str, fields: Mapping[str, str]) -> str:
    """`text` with each `<name>` of `fields` in its place."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def _json(value: Json) -> str:
    """JSON also of numbers beyond JSON, which a faulty schema may hold."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
