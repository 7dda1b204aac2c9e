"""Which starts have their row in the process log, though nobody has read it for them, as with `verify: none`.

Else they would count as lacking their row for ever, and later runs of the process would not be verified.
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
SOON = 1.0  # seconds after which a start that has not left is stored anew, and answers are stored with the next start
AFTER = 2.0  # seconds after the answer of a start in which its row may still begin: `Date` counts whole seconds
ASIDE = NEAR - AFTER
"""Seconds by which a start that was refused ends earlier: no rival of a call that begins `AFTER` the refusal, or later.

Until then its row may be of either; what begins later by the server's time is none of a call that was refused before.
"""
EXACT = 0.05
"""Seconds before a start from which a row may be its own. `Date` makes a row look later than it is, never earlier.

So a row from before the start is another's, and must not replace the start's own row, which is still to come.
"""
_RECENT = 60.0
"""Seconds before the first start from which on rows are counted: others that it has to be distinguished from."""
NOBODY = "00000000-0000-0000-0000-000000000000"
"""The run of rows that starts of several runs have made: nobody knows which of them has made which."""
MOST = 1000  # starts that are over and are counted, at most: with more nothing is known


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
    """The ids of rows, with the starts that they show to have begun: `pending`, and others. `rows` belong to no call.

    A start has a row only where all that may have made it have a row. To be no rival any more it is enough, for a start
    whose time is over, that a row is left for each that still may be a rival: nobody knows whose that is, since a start
    that was not answered may have begun nothing. `over` gives the starts that ended since a moment; None: any number.
    """
    since = min((start.began for start in pending), default=math.inf) - _RECENT
    known = {row: began for row, began in rows.items() if began >= since}
    if not known:
        return {}
    others = over(min(known.values()) - AFTER)
    found = {} if others is None or len(others) >= MOST else with_rows([*pending, *others], known)
    done = {start.number for start in found.values()}
    for row, start in with_rows(pending, known).items():
        if start.answered <= now and row not in found and start.number not in done:
            found[row] = replace(start, run=NOBODY)
    return found


def as_pending(columns: Iterable[object]) -> PendingStart:
    """A start as a store has it: the fields in their order."""
    return msgspec.convert(dict(zip(PendingStart.__struct_fields__, columns, strict=True)), PendingStart)


def with_rows(starts: Sequence[PendingStart], rows: Mapping[str, float]) -> dict[str, PendingStart]:
    """The ids of rows that certain starts have made; `rows` belong to no call. A start that is not named lacks its row.

    Rows that starts of several runs may have made belong to `NOBODY`.
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
    """Groups of starts that may have made the same rows, with these rows, in order of time."""
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
