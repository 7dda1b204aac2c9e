"""Single mistakes, put into files that are right: always the same ones, of every kind that fits a place.

Some are made in the data, which is then written as JSON on one line; some in the text, where indentation and quotes
are.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.foundation.values import Json, ValuePath
from runner.reading import load
from runner.reading.document import Document

_IDENTIFIER = re.compile(r"[A-Za-z_]{4,}")
_SIGNS = "\"'{}[]:,-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One file with one mistake. `path` leads to it, in the text it is the line; `was` is what stood there."""

    file: str
    kind: str
    path: ValuePath
    text: str
    was: str
    became: str
    is_in_the_data: bool

    def __str__(self) -> str:
        return f"{self.file}: {self.kind} at {'/'.join(map(str, self.path))}: {self.was} → {self.became}"


def mutations(file: str, text: str) -> Iterator[Mutation]:
    document = load.load(file, text.encode())
    assert isinstance(document, Document)
    yield from _in_the_data(file, document.data)
    yield from _in_the_text(file, text)


def unmutated(text: str) -> str:
    """The text as the mutations of its data are written, without any."""
    document = load.load("", text.encode())
    assert isinstance(document, Document)
    return json.dumps(document.data, ensure_ascii=False)


def _in_the_data(file: str, data: Json) -> Iterator[Mutation]:
    for path, value in _nodes(data, ()):
        for kind, changed, was, became in _changes(path, value):
            text = json.dumps(_replaced(data, path, changed), ensure_ascii=False)
            yield Mutation(file=file, kind=kind, path=path, text=text, was=was, became=became, is_in_the_data=True)


_Change = tuple[str, "Json | _Renamed | _Gone", str, str]


@dataclass(frozen=True, slots=True)
class _Renamed:
    key: str


@dataclass(frozen=True, slots=True)
class _Gone:
    pass


def _changes(path: ValuePath, value: Json) -> Iterator[_Change]:
    key = path[-1]
    shown = json.dumps(value, ensure_ascii=False)
    yield "delete", _Gone(), shown, "nothing"
    yield "wrong type", _of_another_type(value), shown, json.dumps(_of_another_type(value), ensure_ascii=False)
    if isinstance(key, str):
        for renamed in dict.fromkeys((_swapped(key), key[0].swapcase() + key[1:])):
            if renamed != key:
                yield "rename", _Renamed(renamed), key, renamed
    if isinstance(value, str):
        for changed in dict.fromkeys(_misspelt(value)):
            yield "misspell", changed, value, changed


def _of_another_type(value: Json) -> Json:
    match value:
        case str():
            return [value]
        case bool():
            return "yes"
        case int() | float():
            return f"{value}x"
        case list():
            return {"a": value}
        case _:
            return ["a"]


def _misspelt(text: str) -> Iterator[str]:
    """`text` with two letters exchanged, in each of its words in turn."""
    for found in _IDENTIFIER.finditer(text):
        word = _swapped(found[0])
        if word != found[0]:
            yield text[: found.start()] + word + text[found.end() :]


def _swapped(word: str) -> str:
    """`word` with the first two neighbours behind its first letter that differ exchanged."""
    for index in range(1, len(word) - 1):
        if word[index] != word[index + 1]:
            return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    return word


def _nodes(value: Json, path: ValuePath) -> Iterator[tuple[ValuePath, Json]]:
    items: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        items = [*value.items()]
    elif isinstance(value, list):
        items = [*enumerate(value)]
    for key, item in items:
        yield (*path, key), item
        yield from _nodes(item, (*path, key))


def _replaced(value: Json, path: ValuePath, changed: "Json | _Renamed | _Gone") -> Json:
    key, rest = path[0], path[1:]
    if isinstance(value, list):
        assert isinstance(key, int)
        if rest:
            return [_replaced(item, rest, changed) if index == key else item for index, item in enumerate(value)]
        if isinstance(changed, _Gone):
            return value[:key] + value[key + 1 :]
        assert not isinstance(changed, _Renamed)
        return [changed if index == key else item for index, item in enumerate(value)]
    assert isinstance(value, dict)
    made: dict[str, Json] = {}
    for name, item in value.items():
        if name != key:
            made[name] = item
        elif rest:
            made[name] = _replaced(item, rest, changed)
        elif isinstance(changed, _Renamed):
            made[changed.key] = item
        elif not isinstance(changed, _Gone):
            made[name] = changed
    return made


def _in_the_text(file: str, text: str) -> Iterator[Mutation]:
    lines = text.splitlines(keepends=True)
    start = 0
    for number, line in enumerate(lines, start=1):
        for kind, changed in _changed_line(line):
            mutated = text[:start] + changed + text[start + len(line) :]
            yield Mutation(
                file=file,
                kind=kind,
                path=(number,),
                text=mutated,
                was=line.rstrip(),
                became=changed.rstrip(),
                is_in_the_data=False,
            )
        start += len(line)


def _changed_line(line: str) -> Iterator[tuple[str, str]]:
    if not line.strip() or line.lstrip().startswith("#"):
        return
    yield "indent", f"  {line}"
    yield "indent", f" {line}"
    if line.startswith("  "):
        yield "indent", line[2:]
        yield "indent", line[1:]
    for index, character in enumerate(line):
        if character in _SIGNS:
            yield "drop a sign", line[:index] + line[index + 1 :]
