"""Finds many texts in another at once, in one walk over it, however long they are."""

import re
from collections.abc import Iterable, Iterator

BEGINNING = 6
"""Characters of each text that the pattern knows; no text may be shorter."""


class Needles:
    """A set of texts to find. One pattern holds only their beginnings: a token of two thousand characters in a
    hundred spellings would take a tenth of a second to compile.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._begun: dict[str, list[str]] = {}
        for text in sorted(texts, key=len, reverse=True):
            self._begun.setdefault(text[:BEGINNING], []).append(text)
        self._search = _any_of(self._begun).search

    def caught(self, text: str) -> Iterator[tuple[int, str]]:
        """Where each occurrence starts, and the longest text that stands there. They may overlap."""
        match = self._search(text)
        while match:
            start = match.start()
            longest = next((way for way in self._begun[match[0]] if text.startswith(way, start)), None)
            if longest is not None:
                yield start, longest
            match = self._search(text, start + 1)

    def catches(self, text: str) -> bool:
        return next(self.caught(text), None) is not None


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of `words`, or for nothing; grouped by first characters, over which `re` skips quickly."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[0], []).append(re.escape(word[1:]))
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in groups.items()) or r"(?!)")
