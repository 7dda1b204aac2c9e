"""Following one process in the log until something has happened, looks growing apart."""

from collections.abc import Callable
from dataclasses import dataclass

from runner.engine import process_log
from runner.engine.effects import Pause, Running
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.state import State
from runner.foundation.values import JsonObject

GROWTH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """When to look: seconds to the first look, the most between two, and when to give up (in the run's seconds)."""

    first: float
    longest: float
    deadline: float


def follow(
    state: State, key: str, process_id: str, *, looks: Looks, until: Callable[[JsonObject], bool]
) -> Running[JsonObject | Unread | None]:
    """Read the row of a process until `until` holds for it, or the time is over; the last row that was read.

    Gives None where the log never showed a row of that id, and what refused to be read where the log did for good.
    """
    last: JsonObject | None = None
    wait = looks.first
    while True:
        read = yield from process_log.row_of(state, key, process_id)
        if isinstance(read, Unread) and state.log.refusal is not None:
            return read
        last = read if isinstance(read, dict) else last
        if (last is not None and until(last)) or state.t >= looks.deadline:
            return last
        yield from perform(state, Pause(key=key, seconds=min(wait, looks.deadline - state.t)))
        wait = min(wait * GROWTH, looks.longest)


def has_ended(row: JsonObject) -> bool:
    return row["status"] != "running"
