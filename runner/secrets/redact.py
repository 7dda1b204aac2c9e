"""Secrets: cut out of what is stored, each with a named hole (`runner.secrets.holes`), and filled in again by `fill`.

A secret under six characters is hidden only as a whole value. Not found are hashes of a secret, its parts (but
for its start before `…`), and secrets with the mark of holes. What is computed from a secret has to be added.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from threading import Lock

import msgspec
from msgspec import Struct

from runner.foundation.values import Json, compact
from runner.secrets.holes import MARK, PLAIN, Hole, TextPart, put_together, taken_apart
from runner.secrets.needles import KNOWN_LENGTH, Catch, Needles, SetsOfNeedles
from runner.secrets.shown import STARS, rebuilt, starred
from runner.secrets.spellings import in_quotes, spellings

SHORTEST = KNOWN_LENGTH  # characters that a text must have to be searched inside of other texts

_NUMBER = "number"  # in the place of a spelling: the whole value was a JSON number that is written as the secret is


class _Known(Struct, frozen=True, kw_only=True):
    """What follows from some secrets. `ways` leads from a spelling to the secret's name and its own."""

    ways: dict[str, tuple[str, str]]
    short: dict[str, str]
    short_in_json: tuple[str, ...]
    numbers: dict[str, str]
    needles: SetsOfNeedles
    wide: SetsOfNeedles


class Secrets:
    """The secrets of a program; its threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._spelled: dict[str, Mapping[str, str]] = {}
        self._names: dict[str, dict[str, str]] = {}
        self._past: set[str] = set()
        self._later: set[str] = set()
        self._followers: list[Callable[[str, str], object]] = []
        self._known = _know((), ())
        self._count = 0

    @property
    def weak(self) -> tuple[str, ...]:
        """Names of the secrets that are too short to be searched inside of texts, for each value the first."""
        first = {ways[PLAIN]: name for name, ways in reversed(self._spelled.items()) if len(ways[PLAIN]) < SHORTEST}
        return tuple(reversed(first.values()))

    @property
    def plain(self) -> dict[str, str]:
        """The secrets themselves, by their names."""
        with self._lock:
            return {name: ways[PLAIN] for name, ways in self._spelled.items()}

    def add(self, name: str, value: str, *, newest: int | None = None) -> None:
        """Know `value` under `name`, in all spellings, unless it is empty. Another value becomes `name#2`.

        Before `fill`, add values in their old order. Of each name only the `newest` are searched for.
        """
        with self._lock:
            names = self._names.setdefault(name, {})
            if not value or value in names:
                return
            number, free = len(names) + 1, f"{name}#{len(names) + 1}" if names else name
            while free in self._spelled:
                number += 1
                free = f"{name}#{number}"
            names[value] = free
            if number > 1:
                self._later.add(free)
            self._spelled[free] = spellings(value)
            for learn in self._followers:
                learn(free, value)
            if newest is not None:
                self._past.update(list(names.values())[-2 * newest : -newest])

    def follow(self, learn: Callable[[str, str], object]) -> None:
        """Give `learn` the name and the text of every secret, now and as it comes."""
        with self._lock:
            self._followers.append(learn)
            for name, ways in self._spelled.items():
                learn(name, ways[PLAIN])

    def appears_in(self, text: str) -> bool:
        """Whether `cut` may change `text`, or a value with this JSON. Quick."""
        return text in self._ready().short or self.appears_in_json(text.encode(errors="surrogatepass"))

    def appears_in_json(self, written: bytes) -> bool:
        """The same of the JSON of a record, in UTF-8."""
        known = self._ready()
        if not known.wide.may_be_in(written):
            return False
        text = written.decode(errors="surrogatepass")
        return MARK in text or known.wide.catches(text) or any(short in text for short in known.short_in_json)

    def cut(self, value: Json) -> Json:
        """`value` with a named hole in the place of every secret, in keys of records too."""
        known = self._ready()
        return rebuilt(value, leaf=lambda item: _cut_leaf(item, known), key=lambda text: _cut_text(text, known))

    def fill(self, value: Json) -> Json:
        """What `cut` was given. Raises `LookupError` for an unknown secret."""
        return rebuilt(value, leaf=self._fill_leaf, key=self._fill_text)

    def mask(self, text: str) -> str:
        """`text`, which nobody has cut, with stars in the place of every secret."""
        known = self._ready()
        if text in known.short:
            return STARS
        return starred(_parts(text, known))

    def _ready(self) -> _Known:
        """Worked out when it is asked for: several secrets come in turn."""
        if self._count != len(self._spelled):
            with self._lock:
                named = [(name, ways[PLAIN]) for name, ways in self._spelled.items() if name not in self._past]
                first = [each for each in named if each[0] not in self._later]
                self._known = _know(tuple(first), tuple(each for each in named if each[0] in self._later))
                self._count = len(self._spelled)
        return self._known

    def _fill_leaf(self, item: Json) -> Json:
        if not isinstance(item, str) or MARK not in item:
            return item
        parts = [part for part in taken_apart(item) if part]
        match parts:
            case [Hole(name=name, spelling=spelling)] if spelling == _NUMBER:
                number: Json = json.loads(self._spelling(name, PLAIN))
                return number
        return "".join(map(self._filled, parts))

    def _fill_text(self, text: str) -> str:
        return "".join(map(self._filled, taken_apart(text))) if MARK in text else text

    def _filled(self, part: TextPart) -> str:
        return part if isinstance(part, str) else self._spelling(part.name, part.spelling)[part.skipped : part.end]

    def _spelling(self, name: str, spelling: str) -> str:
        if spelling not in self._spelled.get(name, {}):
            raise LookupError(f"the secret `{name}` is not known as {spelling}")
        return self._spelled[name][spelling]


@lru_cache(maxsize=16)
def _know(first: tuple[tuple[str, str], ...], later: tuple[tuple[str, str], ...]) -> _Known:
    """Cached, as runs on a site share secrets: 2 ms each. `later` took another's name, as a cookie that is renewed."""
    ways: dict[str, tuple[str, str]] = {}
    short: dict[str, str] = {}
    for name, plain in (*first, *later):
        if len(plain) < SHORTEST:
            short.setdefault(plain, name)
            continue
        for spelling, text in spellings(plain).items():
            if len(text) >= SHORTEST:
                ways.setdefault(text, (name, spelling))
    short_in_json = tuple(map(compact, short))
    signs = (MARK, *short_in_json)
    sets = [_sets(tuple(plain for _, plain in first), signs), *(_sets((plain,), ()) for _, plain in later)]
    return _Known(
        ways=ways,
        short=short,
        short_in_json=short_in_json,
        numbers={text: name for text, (name, spelling) in ways.items() if spelling == PLAIN and _is_number(text)},
        needles=SetsOfNeedles(needles for needles, _ in sets),
        wide=SetsOfNeedles(wide for _, wide in sets),
    )


@lru_cache(maxsize=64)
def _sets(plain: tuple[str, ...], signs: tuple[str, ...]) -> tuple[Needles, Needles]:
    """All spellings of some secrets; and with those in our own JSON, which writes `1e+16` as `1e16`."""
    spelled = [way for text in plain if len(text) >= SHORTEST for way in spellings(text).values()]
    ways = dict.fromkeys(way for way in spelled if len(way) >= SHORTEST)
    in_json = {inner for way in ways for inner in in_quotes(way)}
    in_json |= {msgspec.json.encode(json.loads(text)).decode() for text in plain if _is_number(text)}
    needles = Needles(ways, signs=signs)
    return needles, needles if in_json <= ways.keys() else Needles(in_json | ways.keys(), signs=signs)


def _is_number(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, (int, float)) and json.dumps(value) == text


def _cut_leaf(item: Json, known: _Known) -> Json:
    match item:
        case str() if item in known.short:
            return _joined([Hole(known.short[item])], known)
        case str():
            return _cut_text(item, known)
        case int() | float() if known.numbers and (name := known.numbers.get(json.dumps(item))):
            return _joined([Hole(name, _NUMBER)], known)
    return item


def _cut_text(text: str, known: _Known) -> str:
    parts = _parts(text, known)
    return text if len(parts) == 1 and MARK not in text else _joined(parts, known)


def _parts(text: str, known: _Known) -> list[TextPart]:
    """`text` taken apart into secrets and what is between them; parts of a text may be empty."""
    parts: list[TextPart] = []
    reached = 0
    for catch, place in _covering(text, known.needles):
        end = None if catch.found == catch.needle else len(catch.found)
        parts += (text[reached:place], Hole(*known.ways[catch.needle], place - catch.start, end))
        reached = catch.end
    parts.append(text[reached:])
    return parts


def _covering(text: str, needles: SetsOfNeedles) -> Iterator[tuple[Catch, int]]:
    """The fewest occurrences that cover all, each from where it is needed."""
    reached = place = 0
    best: Catch | None = None
    for catch in needles.caught(text):
        if best and catch.start > place:
            yield best, place
            reached, best = best.end, None
        if catch.end <= reached:
            continue
        if best is None:
            place, best = max(catch.start, reached), catch
        elif catch.end > best.end:
            best = catch
    if best:
        yield best, place


def _joined(parts: list[TextPart], known: _Known) -> str:
    text = put_together(parts, guarded=False)
    return put_together(parts, guarded=True) if known.needles.catches(text) else text
