"""Which starts the events of a run lack: then these are an older copy, and to go on by them would start again."""

from collections.abc import Sequence
from typing import Final

from runner.runs.events import CallSent, Line, StepStarted
from runner.runs.store import OwnedRows, SentStarts

_STARTING: Final = frozenset({"execute", "run", "change"})  # a reading of the log has the key of its row, too


def missing_starts(owned: OwnedRows, lines: Sequence[Line]) -> SentStarts:
    """The rows whose call was sent, and is not in the events. Raises `StoreError`.

    A stored start of a row that the events have not begun was sent for certain: they end where it is still to come.
    """
    events = [line.event for line in lines]
    begun = frozenset(event.row.key for event in events if isinstance(event, StepStarted))
    known = {event.key for event in events if isinstance(event, CallSent) and event.call.get("kind") in _STARTING}
    sent = owned.sent()
    return SentStarts(certain=(sent.certain | (sent.perhaps - begun)) - known, perhaps=(sent.perhaps & begun) - known)
