"""The word that should be there: the nearest of ours, or ours for another tool's word; rather none than a guess.

Case, dashes, underscores and spaces do not count: `maxAttempts` is `max_attempts`. Names are near that are a typo or
two away. RapidFuzz is imported at the first mistake: 30 ms.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple, cast

from runner.foundation import hints
from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import listed

MOST_NAMES = 10_000  # only so many of the names, from the first on, are compared with a word
LONGEST_NAME = 200  # characters of a name, or of a text, that is compared at all


def folded(word: str) -> str:
    """`word` as words are compared: without regard to case, dashes, underscores and blanks."""
    return word.casefold().translate(_LEFT_OUT)


_LEFT_OUT = dict.fromkeys(map(ord, "-_ \t"))


def eligible(names: Iterable[str]) -> tuple[str, ...]:
    """The names that are compared at all."""
    return tuple(name for name in islice(names, MOST_NAMES) if len(name) <= LONGEST_NAME)


def near(word: str, names: Iterable[str], *, typos: int) -> list[tuple[int, str]]:
    """The names within so many `typos` (a letter more, less, other or swapped), with their number, sorted."""
    compared = eligible(names)
    found = near_folded(folded(word), _folded(compared), typos=typos)
    return [(distance, compared[index]) for distance, index in found]


def near_folded(bare: str, names: tuple[str, ...], *, typos: int) -> list[tuple[int, int]]:
    """The same for a word and eligible names that are folded: the number of typos, and the index of the name."""
    if _lengths(names).isdisjoint(range(len(bare) - typos, len(bare) + typos + 1)):
        return []
    from rapidfuzz import process  # noqa: PLC0415  30 ms
    from rapidfuzz.distance import OSA  # noqa: PLC0415

    found = process.extract(bare, names, scorer=OSA.distance, score_cutoff=typos, limit=None)
    return [(int(distance), index) for _, distance, index in found]


def ending_in(word: str, names: Iterable[str]) -> list[str]:
    """The names that end in `word`, as a prefix is easily left out, else those that hold it."""
    bare, compared = folded(word), eligible(names)
    pairs = list(zip(compared, _folded(compared), strict=True))
    return [name for name, other in pairs if other.endswith(bare)] or [name for name, other in pairs if bare in other]


def most_alike(text: str, texts: Sequence[str], *, least: float) -> int | None:
    """The index of the text that shares most with `text`, from 0 to 1 and `least` at least, if any."""
    if len(text) > LONGEST_NAME:
        return None
    short = [other if len(other) <= LONGEST_NAME else None for other in islice(texts, MOST_NAMES)]
    if not any(short):
        return None
    from rapidfuzz import process  # noqa: PLC0415  30 ms
    from rapidfuzz.distance import Indel  # noqa: PLC0415

    found = process.extractOne(text, short, scorer=Indel.normalized_similarity, score_cutoff=least)
    return None if found is None else found[2]


@lru_cache(maxsize=64)
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    """Cached, since most words are compared with the same few lists of names."""
    return tuple(map(folded, names))


@lru_cache(maxsize=64)
def _lengths(names: tuple[str, ...]) -> frozenset[int]:
    return frozenset(map(len, names))


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
