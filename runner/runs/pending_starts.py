"""Which starts have their row in the process log, though nobody has read it for them: `verify: none` reads no log, and
a run that could not say whose a row is takes none.

Such a start would stay counted as lacking its row, and a later run of the process would not be verified, nor the next
after that, since the row of that run would belong to nobody either.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

NEAR = 5.0
"""Seconds between two starts in which the server's time, which counts whole seconds, may not distinguish their rows."""
LATE = 3600.0
"""Seconds for which a start may still get its row, where no server's time distinguishes rows, or it was queued."""
SOON = 1.0
"""Seconds after which a start that has not left is stored anew, and answers are stored with the next start."""
AFTER = 2.0
"""Seconds after the answer of a start in which its row may still begin: `Date` counts whole seconds."""
EXACT = 0.05
"""Seconds before a start from which a row may be its own. `Date` makes a row look later than it is, never earlier; so a
row from before the start is that of somebody else, which must not stand for the start's own row, still to come.
"""
_RECENT = 60.0
"""Seconds before the first start from which on rows are counted: others that it has to be distinguished from."""
NOBODY = "00000000-0000-0000-0000-000000000000"
"""The run of rows that starts of several runs have made: nobody knows which of them has made which."""
MOST = 1000
"""Starts that are over and are counted, at most: with more nothing is known."""


class PendingStart(Struct, frozen=True, kw_only=True):
    """A start that nobody has given a row, by the clock of the store; `answered` is where its own time ends."""

    number: int
    run: str
    key: str
    began: float
    answered: float

    def stretch(self, moments: Sequence[float]) -> tuple[int, int]:
        """The first of the sorted `moments` at which a row of this start may have begun, and the first after them."""
        until = max(self.began, self.answered) + AFTER
        return bisect_left(moments, self.began - EXACT), bisect_right(moments, until)


def settled(
    pending: Sequence[PendingStart],
    rows: Mapping[str, float],
    *,
    over: Callable[[float], Sequence[PendingStart] | None],
    now: float,
) -> dict[str, PendingStart]:
    """The ids of rows with the `pending` starts that lack theirs no more. `rows` belong to no call; `over` gives the
    starts that have ended since a moment, None where they may be any number.

    A start that was answered has begun by then: it is enough that a row is left for each start that is not over. What
    is under way may still begin, and its row may then be taken for that of a later call: so it has its row only
    where there is a row for all that may have made it, over or not.
    """
    since = min((start.began for start in pending), default=math.inf) - _RECENT
    known = {row: began for row, began in rows.items() if began >= since}
    if not known:
        return {}
    found: dict[str, PendingStart] = {}
    if any(start.answered > now for start in pending):
        others = over(min(known.values()) - AFTER)
        certain = {} if others is None or len(others) >= MOST else with_rows([*pending, *others], known)
        found = {row: start for row, start in certain.items() if start.answered > now}
    return found | {row: start for row, start in with_rows(pending, known).items() if start.answered <= now}


def as_pending(columns: Iterable[object]) -> PendingStart:
    """A start as a store has it: the fields in their order."""
    return msgspec.convert(dict(zip(PendingStart.__struct_fields__, columns, strict=True)), PendingStart)


def with_rows(starts: Sequence[PendingStart], rows: Mapping[str, float]) -> dict[str, PendingStart]:
    """The ids of rows that are there for certain starts: where several may have made some rows, each of them has a row.

    `rows` are the ids of rows that belong to no call, and when each began. A start that is not named lacks its row.
    Where the starts are of several runs, none of them is to take any of the rows for its own: they are of `NOBODY`.
    """
    found: dict[str, PendingStart] = {}
    for makers, made in _linked(starts, rows):
        if len(made) < len(makers):
            continue
        is_same_run = len({start.run for start in makers}) == 1
        owners = makers if is_same_run else [replace(start, run=NOBODY) for start in makers]
        found |= {row: owners[min(place, len(owners) - 1)] for place, row in enumerate(made)}
    return found


def _linked(
    starts: Sequence[PendingStart], rows: Mapping[str, float]
) -> Iterator[tuple[list[PendingStart], list[str]]]:
    """Starts that may have made the same rows, directly or by way of others, with these rows, each in the order in
    which they began. A start that can have made no row is in none.

    The rows of a start follow each other, so that each group is a stretch of them: to sort is all the work.
    """
    ordered = sorted(rows.items(), key=lambda item: (item[1], item[0]))
    moments = [began for _, began in ordered]
    stretches = [(*start.stretch(moments), start) for start in sorted(starts, key=lambda start: start.began)]
    makers: list[PendingStart] = []
    first = end = 0
    for low, high, start in stretches:
        if low == high:
            continue
        if makers and low >= end:
            yield makers, [row for row, _ in ordered[first:end]]
            makers = []
        first, end = (min(first, low), max(end, high)) if makers else (low, high)
        makers.append(start)
    if makers:
        yield makers, [row for row, _ in ordered[first:end]]
