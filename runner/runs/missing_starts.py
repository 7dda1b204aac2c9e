"""Which starts the events of a run lack: then these are an older copy, and to go on by them would start again."""

from collections.abc import Sequence
from typing import Final

from runner.runs.events import CallSent, Line, StepStarted
from runner.runs.store import OwnedRows

_STARTING: Final = frozenset({"execute", "run", "change"})  # a reading of the log has the key of its row, too


def missing_starts(owned: OwnedRows, lines: Sequence[Line]) -> frozenset[str]:
    """The rows whose call was certainly sent, and is not in the events. Raises `StoreError`."""
    events = [line.event for line in lines]
    begun = frozenset(event.row.key for event in events if isinstance(event, StepStarted))
    known = {event.key for event in events if isinstance(event, CallSent) and event.call.get("kind") in _STARTING}
    return owned.sent(begun) - known
