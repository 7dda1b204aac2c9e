"""`failures`: watches the process log, and fails where more processes failed than are allowed."""

from collections.abc import Iterator
from typing import ClassVar, Final

from msgspec import Struct

from runner.expressions.typed import A_NUMBER, A_TEXT, list_of, or_null, record_of
from runner.foundation.durations import format_duration
from runner.foundation.values import Json, duration, items, number, record, sure_text, text
from runner.job.actions.action import PROCESS_NAMES, ActionType, always
from runner.job.model import Job, Show, StepEffect

SINCE_RUN = "run"  # since the run began: what counts where the step says nothing else


class Failures(Struct, frozen=True, kw_only=True):
    """Watches for `seconds` that no more than `at_most` instances of matching processes fail."""

    kind: ClassVar[str] = "failures"
    processes: tuple[str, ...]
    since: str = SINCE_RUN  # `SINCE_RUN`, the id of a step, a moment with its zone, or a template
    seconds: float = 0.0
    at_most: int = 0

    @property
    def title(self) -> str:
        return f"Watch for failures of {', '.join(self.processes)}"

    def preview(self, show: Show) -> Iterator[str]:
        how_long = f" for {format_duration(self.seconds)}" if self.seconds else ", once"
        yield f"watch the process log{how_long}: at most {self.at_most} failed since {show(self.since)}"
        yield f"  processes {', '.join(self.processes)}"


def _build(value: Json, _: Job | None) -> Failures:
    fields = record(value)
    return Failures(
        processes=tuple(sure_text(pattern) for pattern in items(fields["processes"])),
        since=text(fields, "since") or SINCE_RUN,
        seconds=duration(fields.get("for")) or 0.0,
        at_most=number(fields.get("at_most"), 0),
    )


_FAILED: Final = record_of(
    {name: or_null(A_TEXT) for name in ("id", "process", "name", "started", "error")}, closed=True
)
_RESULT: Final = record_of({"count": A_NUMBER, "failed": list_of(_FAILED)}, closed=True)
FAILURES = ActionType(
    key=Failures.kind,
    build=_build,
    effect=always(StepEffect.READ),
    templates=frozenset({"since"}),
    durations=("for",),
    has_attempts=False,
    own_time=True,
    result=lambda _value, _process: _RESULT,
    never_gives=PROCESS_NAMES,
)
