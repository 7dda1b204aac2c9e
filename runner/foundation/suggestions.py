"""The word that should be there: the nearest of ours, or ours for another tool's word; rather none than a guess.

Case, dashes, underscores and spaces do not count: `maxAttempts` is `max_attempts`.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple, cast

from runner.foundation import hints
from runner.foundation.lazy import lazy_pattern
from runner.foundation.near_misses import eligible, folded, near, near_folded
from runner.foundation.sentences import listed

_LONGEST = 40  # nobody writes a key with a longer word
_SHORTEST_FOREIGN = 6
"""A shorter word of another tool is known only as it is: four letters are near to too many others."""
_SHORTEST_VARIABLE = 4  # shorter names are near to too many others
_SHORTEST_START = 3  # letters from which on a word is known by its start
_DIGITS = lazy_pattern(r"[0-9]+")


@cache
def foreign_words() -> Mapping[str, tuple[str, ...]]:
    """Words of other tools, folded, with ours; the first known word counts."""
    table = cast("Mapping[str, str]", hints.table("words"))
    return {word: tuple(ours.split()) for ours, words in table.items() for word in words.split()}


def foreign(word: str, known: Collection[str]) -> str | None:
    """Which of `known` is our word for a word of another tool, None where `word` is none."""
    return next((ours for ours in foreign_words().get(folded(word), ()) if ours in known), None)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Which of `known` should be there instead of `word`, or None. `word` itself is never suggested."""
    bare = folded(word)
    if not 0 < len(bare) <= _LONGEST:
        return None
    candidates = _candidates(eligible(name for name in known if name != word))
    if bare in candidates.ours:
        return candidates.ours[bare]
    measured = [
        (distance, _rank(bare, name), name)
        for distance, index in near_folded(bare, candidates.names, typos=_typos(bare))
        if (
            len(name := candidates.names[index]) >= _SHORTEST_FOREIGN
            or name not in foreign_words()
            or name in candidates.own
        )
        and not _is_another(bare, name)
    ]
    return candidates.ours.get(min(measured)[2] if measured else _by_start(bare, candidates.names))


def _is_another(word: str, name: str) -> bool:
    """`customer02` is no typo of `customer01`; `customer1` may be."""
    numbers = [[*map(int, _DIGITS.findall(text))] for text in (word, name)]
    return numbers[0] != numbers[1] and _DIGITS.sub("0", word) == _DIGITS.sub("0", name)


def did_you_mean(word: str, known: Iterable[str], *, prefix: str = "") -> str | None:
    found = suggest(word, known)
    return found and f"did you mean `{prefix}{found}`?"


def near_or_listed(word: str, known: Iterable[str], *, has: str = "it has", none: str = "none") -> str:
    """The hint for a word that is none of `known`: the nearest, else which there are."""
    names = sorted(known)
    return did_you_mean(word, names) or f"{has} {listed(names) or none}"


def likely_typo(word: str, known: Iterable[str], *, own_letters: bool = False) -> str | None:
    """Which of `known` `word` is a typo of, by its letters alone: `lab2` is not `lab1`. For warnings: it may be right.

    `own_letters`: it has only letters of the name, where others put words, too: `DATE` is no typo of `DATA`.
    """
    bare, digits = folded(word), [*filter(str.isdigit, word)]
    found = [
        (distance, name)
        for distance, name in near(word, known, typos=1 if own_letters else _typos(bare))
        if name != word and [*filter(str.isdigit, name)] == digits
    ]
    if own_letters:
        found = [each for each in found if each[0] == 0 or _is_of_its_letters(bare, folded(each[1]))]
    return min(found)[1] if found else None


def _is_of_its_letters(word: str, name: str) -> bool:
    return len(name) >= _SHORTEST_VARIABLE and set(word) <= set(name)


class _Candidates(NamedTuple):
    """Folded words and ours for them. `own` are ours themselves, which come before words of other tools."""

    ours: Mapping[str, str]
    own: frozenset[str]
    names: tuple[str, ...]


@lru_cache(maxsize=64)
def _candidates(known: tuple[str, ...]) -> _Candidates:
    """Cached, since most words are compared with the keys of a few records."""
    ours, names = {folded(name): name for name in reversed(known)}, frozenset(known)
    own = frozenset(ours)
    for word, meanings in foreign_words().items():
        name = next((name for name in meanings if name in names), None)
        if name is not None:
            ours.setdefault(word, name)
    return _Candidates(ours=ours, own=own, names=tuple(ours))


def _typos(word: str) -> int:
    """How many typos a word of this length may hold and still be that word."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2  # noqa: PLR2004  lengths


def _rank(word: str, name: str) -> int:
    """The order of equally near words: those with the same start come first."""
    return -next((index for index, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), len(word))


def _by_start(word: str, names: Iterable[str]) -> str:
    """The name that starts with `word` (`exec`), or that `word` starts with (`timeout_seconds`); empty for none."""
    longer = [name for name in names if len(word) >= _SHORTEST_START and name.startswith(word)]
    shorter = [name for name in names if len(name) > _SHORTEST_START and word.startswith(name)]
    return min(longer, key=len) if longer else max(shorter, key=len, default="")
