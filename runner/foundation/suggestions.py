"""The word that somebody meant: the nearest of ours, or ours for a word of another tool. Rather none than a silly one.

Two words are compared without regard to case, dashes, underscores and blanks, so that `maxAttempts` is `max_attempts`.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple, cast

from runner.foundation import hints
from runner.foundation.near_misses import eligible, folded, near, near_folded

_LONGEST = 40
"""Nobody means a key by a longer word."""

_TOLD_FROM = 6
"""A shorter word of another tool is known only as it is: four letters are near to too many others."""

_TELLING = 3
"""Letters that tell a word by its beginning."""


@cache
def foreign_words() -> Mapping[str, tuple[str, ...]]:
    """Words of other tools, folded, with ours in the order in which they are tried: the first that is known counts."""
    words = cast("Mapping[str, list[str]]", hints.table("words"))
    return {word: tuple(ours) for word, ours in words.items()}


def foreign(word: str, known: Collection[str]) -> str | None:
    """The one of `known` that is meant by a word of another tool, None where `word` is none."""
    return next((ours for ours in foreign_words().get(folded(word), ()) if ours in known), None)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` stands for, or None. `known` may hold `word` itself, which is never suggested."""
    bare = folded(word)
    if not 0 < len(bare) <= _LONGEST:
        return None
    candidates = _candidates(eligible(name for name in known if name != word))
    if bare in candidates.meant:
        return candidates.meant[bare]
    measured = [
        (distance, _rank(bare, name), name)
        for distance, index in near_folded(bare, candidates.names, slips=_slips(bare))
        if len(name := candidates.names[index]) >= _TOLD_FROM or name not in foreign_words() or name in candidates.own
    ]
    found = min(measured)[2] if measured else _beginning(bare, candidates.names)
    return candidates.meant.get(found)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint that asks for the one of `known` that `word` stands for, None where it stands for none."""
    found = suggest(word, known)
    return found and f"did you mean `{found}`?"


def slip(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` is with a slip of the keyboard: near by its letters alone, its digits the same.

    It is for warnings: somebody could have meant `word` as it stands, and `lab2` is not `lab1` mistyped.
    """
    digits = [*filter(str.isdigit, word)]
    found = [
        (distance, name)
        for distance, name in near(word, known, slips=_slips(folded(word)))
        if name != word and [*filter(str.isdigit, name)] == digits
    ]
    return min(found)[1] if found else None


class _Candidates(NamedTuple):
    """Folded words and what they stand for. `own` are ours, in `meant` before those of other tools."""

    meant: Mapping[str, str]
    own: frozenset[str]
    names: tuple[str, ...]


@lru_cache(maxsize=64)
def _candidates(ours: tuple[str, ...]) -> _Candidates:
    """Kept, since most words are held against the keys of a few records."""
    found, known = {folded(name): name for name in reversed(ours)}, frozenset(ours)
    own = frozenset(found)
    for word, meant in foreign_words().items():
        name = next((name for name in meant if name in known), None)
        if name is not None:
            found.setdefault(word, name)
    return _Candidates(meant=found, own=own, names=tuple(found))


def _slips(word: str) -> int:
    """How many slips of the keyboard a word of this length may hold and still be that word."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2  # noqa: PLR2004  lengths


def _rank(word: str, name: str) -> int:
    """Of words that are equally near, one with the same beginning is meant."""
    return -next((index for index, (one, other) in enumerate(zip(word, name, strict=False)) if one != other), len(word))


def _beginning(word: str, names: Iterable[str]) -> str:
    """The name that `word` begins (`exec`), or that begins `word` (`timeout_seconds`); empty where there is none."""
    begun = [name for name in names if len(word) >= _TELLING and name.startswith(word)]
    beginning = [name for name in names if len(name) > _TELLING and word.startswith(name)]
    return min(begun, key=len) if begun else max(beginning, key=len, default="")
