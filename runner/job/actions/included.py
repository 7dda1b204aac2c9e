"""`job`: carries another job out in the place of the step. Nothing of the including job is visible in it."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from msgspec import Struct, field

from runner.foundation.values import Json, record
from runner.job.actions.action import PROCESS_NAMES, ActionType
from runner.job.model import Job, Show, show_values


class IncludedJob(Struct, frozen=True, kw_only=True):
    kind: ClassVar[str] = "job"
    job: Job
    inputs: Mapping[str, Json] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"Job {self.job.name}"

    def preview(self, show: Show) -> Iterator[str]:
        """Without its steps, which `runner.planning.preview` shows."""
        yield f"job {self.job.name} ({self.job.file})"
        yield from show_values(self.inputs, show)


def _build(value: Json, included: Job | None) -> IncludedJob:
    assert included is not None, value
    return IncludedJob(job=included, inputs=record(record(value).get("inputs")))


JOB = ActionType(
    key=IncludedJob.kind,
    build=_build,
    effect=lambda _: None,
    templates=frozenset({"inputs"}),
    has_attempts=False,
    own_time=True,
    never_gives=PROCESS_NAMES,
)
