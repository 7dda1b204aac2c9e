"""Finds many texts in another at once, in one walk over it, however long they are.

Also found is the beginning of one where the other was shortened: before `…`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BEGINNING = 6
"""Characters of each text that the pattern knows; no text may be shorter."""
SHORTENED = "…"
"""What stands in the place of the rest of a text that is too long."""
LEAST = 3
"""Characters that must be left of one that was shortened: fewer stand before a `…` in many innocent texts."""


@dataclass(frozen=True, slots=True)
class Catch:
    """From `start` on stands `found`, which is `needle`, or its beginning."""

    start: int
    found: str
    needle: str

    @property
    def end(self) -> int:
        return self.start + len(self.found)


class Needles:
    """A set of texts to find. One pattern holds only their beginnings: a token of two thousand characters in a
    hundred spellings would take a tenth of a second to compile.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._begun: dict[str, list[str]] = {}
        self._shortest: dict[str, str] = {}
        for text in sorted(texts, key=len, reverse=True):
            self._begun.setdefault(text[:BEGINNING], []).append(text)
            for length in range(LEAST, BEGINNING):
                self._shortest.setdefault(text[:length], text)
        self._search = _any_of(self._begun, self._shortest).search

    def caught(self, text: str) -> Iterator[Catch]:
        """The longest that stands at each place, in their order. They may overlap."""
        match = self._search(text)
        while match:
            start, beginning = match.start(), match[0]
            if len(beginning) < BEGINNING:
                yield Catch(start, beginning, self._shortest[beginning])
            elif catch := self._longest(text, start, self._begun[beginning]):
                yield catch
            match = self._search(text, start + 1)

    def catches(self, text: str) -> bool:
        return next(self.caught(text), None) is not None

    @staticmethod
    def _longest(text: str, start: int, needles: list[str]) -> Catch | None:
        """The longest of these, which are in the order of their length, or a longer beginning of one."""
        left = text[start : max(text.find(SHORTENED, start, start + len(needles[0])), start)]
        whole = next((needle for needle in needles if text.startswith(needle, start)), "")
        if len(left) >= LEAST and len(left) > len(whole):
            begun = next((needle for needle in needles if needle.startswith(left)), None)
            if begun is not None:
                return Catch(start, left, begun)
        return Catch(start, whole, whole) if whole else None


def _any_of(words: Iterable[str], shortened: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of `words`, and for `shortened` where `…` follows; for nothing where there are none.

    Grouped by first characters, over which `re` skips quickly.
    """
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[0], []).append(re.escape(word[1:]))
    for word in shortened:
        groups.setdefault(word[0], []).append(f"{re.escape(word[1:])}(?={SHORTENED})")
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in groups.items()) or r"(?!)")
