"""Finds names that are a typo or two away, and the most similar text, within bounds of number and length.

RapidFuzz is imported at the first mistake: 30 ms. Callers choose among several names.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice

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
