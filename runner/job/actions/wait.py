"""`wait`: follows a process until it has ended, or waits for a person."""

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from runner.foundation.values import Json, enum_member, record, sure_text
from runner.job.actions.action import EVERY, LOG_ROW, MAX_EVERY, ActionType, always, pauses
from runner.job.model import Job, Show, StepEffect


class WaitFor(StrEnum):
    """What a `wait` waits for: the good end, any end, or that the process waits for a person."""

    COMPLETED = "completed"
    ENDED = "ended"
    PARKED = "parked"


class Wait(Struct, frozen=True, kw_only=True):
    """`process_id` is a GUID or a template. Looks grow from `every` to `max_every` seconds apart."""

    kind: ClassVar[str] = "wait"
    process_id: str
    wanted: WaitFor = WaitFor.COMPLETED
    every: float = EVERY
    max_every: float = MAX_EVERY

    @property
    def title(self) -> str:
        return f"Wait until a process is {self.wanted}"

    def preview(self, show: Show) -> Iterator[str]:
        yield f"wait until {show(self.process_id)} is {self.wanted}"


def _build(value: Json, _: Job | None) -> Wait:
    fields = record(value)
    every, max_every = pauses(fields)
    return Wait(
        process_id=sure_text(fields["process_id"]),
        wanted=enum_member(WaitFor, fields.get("for"), WaitFor.COMPLETED),
        every=every,
        max_every=max_every,
    )


WAIT = ActionType(
    key=Wait.kind,
    build=_build,
    effect=always(StepEffect.READ),
    templates=frozenset({"process_id"}),
    durations=("every", "max_every"),
    own_time=True,
    result=lambda _value, _process: LOG_ROW,
)
