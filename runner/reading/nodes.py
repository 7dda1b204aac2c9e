"""Where the nodes of a file are, keys included, in their order: a `Trail` while it is read, then `Places`.

Places are offsets, four bytes each: ten thousand steps have a quarter of a million.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct


class Places(Struct, frozen=True, kw_only=True):
    """Where the nodes of a file are."""

    starts: Sequence[int]
    ends: Sequence[int]
    after: Sequence[int]  # the first node after a list or record, else 0
    aliases: dict[int, int]  # lead to the nodes of their anchors
    tagged: Collection[int] = ()  # nodes with a tag


class Trail:
    """`add_start` and `add_end` are called once each for a node; the end of a list or record is 0 while it is open."""

    def __init__(self) -> None:
        self.starts, self.ends = array("I"), array("I")
        self.add_start, self.add_end = self.starts.append, self.ends.append
        self.aliases: dict[int, int] = {}
        self.tagged: set[int] = set()
        self._closed, self._next = array("I"), array("I")
        self._last_bracket = (0, 0)

    def close_brackets(self, node: int, *, start: int, end: int) -> None:
        self._last_bracket = (start, end)
        self._close(node, end)

    def close_block(self, node: int) -> None:
        """A list or record in block style ends where its last value ended."""
        self._close(node, max(self.ends[-1], self._last_bracket[1]))

    def _close(self, node: int, end: int) -> None:
        self.ends[node] = end
        self._closed.append(node)
        self._next.append(len(self.starts))

    def last(self) -> tuple[int, int]:
        """Where the value that ended last is; nowhere, (0, 0), before there is any."""
        if not self.starts or self.ends[-1] < self._last_bracket[1]:
            return self._last_bracket
        return self.starts[-1], self.ends[-1]

    def leaves(self) -> Iterator[tuple[int, int]]:
        """Where the scalars and aliases are that have ended, in the order of the file."""
        parents = set(self._closed)
        return (
            bounds
            for node, bounds in enumerate(zip(self.starts, self.ends, strict=True))
            if node not in parents and bounds[1]
        )

    def open_bracket(self, text: str) -> int | None:
        """Offset of the innermost `[` or `{` that is not closed yet."""
        unended = (start for start, end in zip(reversed(self.starts), reversed(self.ends), strict=True) if end == 0)
        return next((start for start in unended if text.startswith(("[", "{"), start)), None)

    def places(self) -> Places:
        after = array("I", bytes(self.starts.itemsize * len(self.starts)))
        for node, following in zip(self._closed, self._next, strict=True):
            after[node] = following
        return Places(starts=self.starts, ends=self.ends, after=after, aliases=self.aliases, tagged=self.tagged)
