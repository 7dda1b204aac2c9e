"""`pause`: time passes."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.foundation.values import Json, duration
from runner.job.actions.action import PROCESS_NAMES, ActionType, always
from runner.job.model import Job, Show, StepEffect


class Pause(Struct, frozen=True, kw_only=True):
    kind: ClassVar[str] = "pause"
    seconds: float

    @property
    def title(self) -> str:
        return f"Pause for {format_duration(self.seconds)}"

    def preview(self, _: Show) -> Iterator[str]:
        yield f"pause {format_duration(self.seconds)}"


def _build(value: Json, _: Job | None) -> Pause:
    seconds = duration(value)
    assert seconds is not None, value
    return Pause(seconds=seconds)


PAUSE = ActionType(
    key=Pause.kind,
    build=_build,
    effect=always(StepEffect.READ),
    has_attempts=False,
    own_time=True,
    never_gives=("result", *PROCESS_NAMES),
)
