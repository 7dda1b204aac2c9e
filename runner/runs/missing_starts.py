"""Which starts the events of a run lack: then these are an older copy, and to go on by them would start again."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

from msgspec import Struct

from runner.runs.events import AnyEvent, Asked, AttemptFailed, CallSent, Line, StepFinished, StepStarted
from runner.runs.store import OwnedRows

_STARTING: Final = frozenset({"execute", "run", "change"})  # a reading of the log has the key of its row, too
_REPEATED: Final = frozenset({"not_sent", "turned_away"})  # kinds of failures after which the call may be made again
_UNWRITTEN: Final = "E311"  # its start could not be stored, and perhaps not be forgotten either


class MissingStarts(Struct, frozen=True, kw_only=True):
    """Rows whose call was sent for `certain`, or `perhaps`: it was stored, and nothing shows more."""

    certain: frozenset[str]
    perhaps: frozenset[str]


def missing_starts(owned: OwnedRows, lines: Sequence[Line]) -> MissingStarts:
    """The rows of which more calls were sent than the events have. Raises `StoreError`.

    A stored start of a row that the events have not begun was sent for certain: they end where it is still to come.
    """
    events = [line.event for line in lines]
    begun = {event.row.key for event in events if isinstance(event, StepStarted)}
    known, sent = _known_calls(events), owned.sent()
    missing = {key for key, calls in sent.calls.items() if calls > known.get(key, 0)}
    certain = frozenset(key for key in missing - known.keys() if key in sent.certain or key not in begun)
    return MissingStarts(certain=certain, perhaps=frozenset(missing - certain))


def _known_calls(events: Iterable[AnyEvent]) -> dict[str, float]:
    """How many calls of each row may have started a process by the events; no limit where no other call is to come."""
    calls, is_start, repeated = dict[str, float](), dict[str, bool](), set[str]()
    for event in events:
        match event:
            case CallSent(key=key):
                is_start[key] = event.call.get("kind") in _STARTING
                if is_start[key]:
                    calls[key] = calls.get(key, 0) + 1
                    repeated.discard(key)
            case AttemptFailed(key=key, kind=kind) if kind in _REPEATED and is_start.get(key):
                repeated.add(key)
                if kind == "not_sent" and event.error.code != _UNWRITTEN:
                    calls[key] -= 1
            case Asked(value={"key": str(key), "as": "retry"}):
                repeated.add(key)
            case StepFinished(key=key):
                repeated.discard(key)
            case _:
                pass
    return {key: count if key in repeated else inf for key, count in calls.items()}
