"""Hints as data: what people write who know another tool, or another place of ours, and what to write here.

The tables lie in `runner/language/hints/`. A table is read at the first mistake that needs it, never before: every
scalar is a text, so that `on`, `no` and `1` need no quotes. Nothing here knows the language; callers name the place.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias, cast

from runner.foundation.values import Json

Entry: TypeAlias = "str | list[Entry] | dict[str, Entry]"
"""What a table holds: texts, lists and records of them."""

_FOLDER = Path(__file__).parents[1] / "language" / "hints"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
_NOT_PLAIN = frozenset({"true", "false", "null"})
_FIELD = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`at` must match the whole place, `value` the whole value as compact JSON.

    `words` leads from what the group `word` of `value` has found, in small letters, to ours. A hint holds `<name>` for
    a group of either pattern or for what the caller gives, `<value>` for the value as YAML, `<words>` for the words of
    a text, the keys of a record or the items of a list, and `<ours>` for our word.
    """

    at: re.Pattern[str]
    value: re.Pattern[str]
    hint: str
    words: Mapping[str, str] = field(default_factory=dict)


@cache
def table(name: str) -> Entry:
    """The table called `name`, for example `words`."""
    import yaml  # noqa: PLC0415  8 ms that only a mistake costs

    text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return cast("Entry", yaml.load(text, yaml.CBaseLoader))  # noqa: S506  it makes texts, lists and records of them


@cache
def rules(name: str) -> tuple[Rule, ...]:
    """The rules of a table that is a list of them, in the order in which they are tried."""
    return tuple(_rules(table(name)))


def _rules(entries: Entry) -> Iterator[Rule]:
    for entry in cast("Sequence[Mapping[str, str]]", entries):
        yield Rule(
            at=re.compile(entry["at"]),
            value=re.compile(entry.get("value", ".*"), re.DOTALL),
            hint=entry["hint"],
            words=cast("Mapping[str, str]", entry.get("words", {})),
        )


def hint(name: str, at: str, value: Json, **fields: str) -> str | None:
    """The hint of the first rule of the table `name` that fits the place `at` and `value`, None where none does."""
    written = _json(value)
    for rule in rules(name):
        place, found = rule.at.fullmatch(at), rule.value.fullmatch(written)
        if place is None or found is None:
            continue
        groups = {**fields, **place.groupdict(""), **found.groupdict("")}
        ours = rule.words.get(groups.get("word", "").casefold())
        if ours is not None or not rule.words:
            found_words = ", ".join(_words(value))
            return filled(rule.hint, {"value": flow(value), "words": found_words, "ours": ours or "", **groups})
    return None


def filled(text: str, fields: Mapping[str, str]) -> str:
    """`text` with each `<name>` of `fields` in its place."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def _words(value: Json) -> Iterator[str]:
    parts = re.split(r"[,;\s]+", value.strip()) if isinstance(value, str) else value
    yield from (str(part) for part in (parts if isinstance(parts, list | dict) else ()))


def flow(value: Json) -> str:
    """`value` as YAML on one line."""
    match value:
        case str() if _PLAIN.fullmatch(value) and value not in _NOT_PLAIN:
            return value
        case list():
            return f"[{', '.join(flow(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{flow(key)}: {flow(item)}' for key, item in value.items())}}}"
        case _:
            return _json(value)


def _json(value: Json) -> str:
    """Also of numbers beyond JSON, which a schema may hold that is wrong."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
