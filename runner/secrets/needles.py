"""Finds many texts in another in a single walk, and their beginnings before `…`."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from heapq import merge
from typing import Protocol, TypeAlias

from msgspec import Struct

KNOWN_LENGTH = 6  # characters of each text that the pattern knows; no text may be shorter
SHORTENED = "…"  # what replaces the rest of a text that is too long
LEAST = 3
"""Characters that must be left of a text that was shortened: fewer stand before a `…` in many innocent texts."""
_MEMORY = 1 << 27  # bytes that the search may take at most, for some ten thousand beginnings
_NOTHING = rb"[^\x00-\xff]"


class Catch(Struct, frozen=True):
    """`found` at `start` is `needle`, or its start."""

    start: int
    found: str
    needle: str

    @property
    def end(self) -> int:
        return self.start + len(self.found)


class _Found(Protocol):
    """What is used of a match of `re2`, which ships no types."""

    def start(self) -> int: ...


Search: TypeAlias = Callable[[bytes, int], _Found | None]


def search_for(words: Iterable[str]) -> Search:
    """Finds the first of `words` in bytes. RE2's time does not depend on how many there are."""
    import re2  # noqa: PLC0415  3 ms of a start, where there are secrets

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, of which nobody asks whether they are UTF-8
    options.max_mem = _MEMORY
    pattern = b"|".join(re2.escape(word.encode(errors="surrogatepass")) for word in words) or _NOTHING
    found: Search = re2.compile(pattern, options).search
    return found


class Needles:
    """A set of texts to find, with patterns of their beginnings: long ones would take a tenth of a second to compile.

    `may_be_in` searches `signs`, too.
    """

    def __init__(self, texts: Iterable[str], *, signs: Iterable[str] = ()) -> None:
        self._signs = tuple(signs)
        self._begun: dict[str, list[str]] = {}
        self._shortest: dict[str, str] = {}
        for text in sorted(texts, key=len, reverse=True):
            self._begun.setdefault(text[:KNOWN_LENGTH], []).append(text)
            for length in range(LEAST, KNOWN_LENGTH):
                self._shortest.setdefault(text[:length], text)

    @cached_property
    def _search(self) -> Search:
        """Finds where a needle begins in a text in UTF-8, or its start is before what is left out."""
        return search_for(self._words)

    @cached_property
    def _search_with_signs(self) -> Search:
        return search_for([*self._words, *self._signs])

    @property
    def _words(self) -> list[str]:
        return [*self._begun, *(text + SHORTENED for text in self._shortest)]

    def may_be_in(self, content: bytes) -> bool:
        """Whether a text in UTF-8 may hold a needle, or holds a sign. Most hold none, and this is asked of each."""
        return self._search_with_signs(content, 0) is not None

    def caught(self, text: str) -> Iterator[Catch]:
        """The longest at each place, in their order. They may overlap."""
        if len(text) <= LEAST:
            return
        content, is_ascii = text.encode(errors="surrogatepass"), text.isascii()
        found, start, before = self._search(content, 0), 0, 0
        while found is not None:
            at = found.start()
            start = at if is_ascii else start + len(content[before:at].decode(errors="surrogatepass"))
            before = at
            if (catch := self._caught_at(text, start)) is not None:
                yield catch
            found = self._search(content, at + 1)

    def _caught_at(self, text: str, start: int) -> Catch | None:
        begun = self._begun.get(text[start : start + KNOWN_LENGTH])
        if begun is not None:
            return self._longest(text, start, begun)
        for end in range(start + KNOWN_LENGTH - 1, start + LEAST - 1, -1):
            if text.startswith(SHORTENED, end) and (needle := self._shortest.get(text[start:end])) is not None:
                return Catch(start, text[start:end], needle)
        return None

    def catches(self, text: str) -> bool:
        if len(text) <= LEAST or self._search(text.encode(errors="surrogatepass"), 0) is None:
            return False
        return next(self.caught(text), None) is not None

    @staticmethod
    def _longest(text: str, start: int, needles: list[str]) -> Catch | None:
        """The longest needle, or start of a needle, at `start`."""
        whole = next((needle for needle in needles if text.startswith(needle, start)), "")
        end = text.rfind(SHORTENED, start, start + len(needles[0]))
        while end - start >= max(LEAST, len(whole) + 1):  # a secret may hold the sign itself
            left = text[start:end]
            begun = next((needle for needle in needles if needle.startswith(left)), None)
            if begun is not None:
                return Catch(start, left, begun)
            end = text.rfind(SHORTENED, start, end)
        return Catch(start, whole, whole) if whole else None


class SetsOfNeedles:
    """Several sets of texts: where a single text comes or goes, all others keep their patterns."""

    def __init__(self, sets: Iterable[Needles]) -> None:
        self._sets = tuple(sets)

    def may_be_in(self, content: bytes) -> bool:
        for needles in self._sets:  # noqa: SIM110  a generator takes as long as half of a search
            if needles.may_be_in(content):
                return True
        return False

    def caught(self, text: str) -> Iterator[Catch]:
        """In the order of their places. They may overlap, and begin at the same place."""
        return merge(*(needles.caught(text) for needles in self._sets), key=lambda catch: catch.start)

    def catches(self, text: str) -> bool:
        return any(needles.catches(text) for needles in self._sets)
