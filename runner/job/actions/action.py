"""What the program knows of a kind of action. Each has a module here, and a line in the table of `__init__`."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from runner.catalogue.model import Process
from runner.expressions.typed import A_TEXT, UNKNOWN, Type, or_null, record_of, word_of
from runner.foundation.values import Json, JsonObject, duration
from runner.job.model import Action, Job, StepEffect
from runner.runs.process_status import PROCESS_STATUSES

EVERY = 1.0
MAX_EVERY = 10.0  # seconds between the first looks of a step that waits, and the most between two
PROCESS_NAMES: Final = ("process_id", "process_status")


class ActionType(Struct, frozen=True, kw_only=True):
    """An action by its key in a step. `value` is the value of that key, perhaps faulty."""

    key: str
    build: Callable[[Json, Job | None], Action]  # makes the record; the job is that which an action `job` includes
    effect: Callable[[Json], StepEffect | None]  # where the step says nothing
    templates: frozenset[str] = frozenset()  # keys whose values may hold templates
    is_template: bool = False  # a text instead of a record may, too
    durations: tuple[str, ...] = ()  # keys of durations
    has_attempts: bool = True  # it has a `retry`
    own_time: bool = False  # no `timeout` of `defaults` bounds it
    is_verified: bool = False  # its end, by the process log, or by an element's own row
    result: Callable[[JsonObject, Process | None], Type] = lambda _value, _process: UNKNOWN
    never_gives: tuple[str, ...] = ()  # what is always null after it


def always(effect: StepEffect) -> Callable[[Json], StepEffect]:
    return lambda _: effect


def pauses(value: JsonObject) -> tuple[float, float]:
    """`every` and `max_every` in seconds. A value that is not written follows the other."""
    first, longest = duration(value.get("every")), duration(value.get("max_every"))
    return first or min(EVERY, longest or EVERY), longest or max(MAX_EVERY, first or MAX_EVERY)


PROCESS_STATUS: Final = word_of(PROCESS_STATUSES, vocabulary="process_status")
LOG_ROW: Final = record_of(
    {name: or_null(A_TEXT) for name in ("id", "name", "started", "completed", "owner", "error")}
    | {"status": or_null(PROCESS_STATUS)},
    closed=True,
)
"""A row of the process log, as a `wait` or a `cancel` gives it."""
