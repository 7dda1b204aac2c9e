"""`cancel`: ends a process that runs or is in error."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from runner.foundation.values import record, sure_text
from runner.job.actions.action import LOG_ROW, ActionType, always
from runner.job.model import Show, StepEffect


class Cancel(Struct, frozen=True, kw_only=True):
    """`process_id` is a GUID or a template."""

    kind: ClassVar[str] = "cancel"
    process_id: str

    @property
    def title(self) -> str:
        return "Cancel a process"

    def preview(self, show: Show) -> Iterator[str]:
        yield f"cancel {show(self.process_id)}"


CANCEL = ActionType(
    key=Cancel.kind,
    build=lambda value, _: Cancel(process_id=sure_text(record(value)["process_id"])),
    effect=always(StepEffect.IDEMPOTENT),
    templates=frozenset({"process_id"}),
    is_verified=True,
    result=lambda _value, _process: LOG_ROW,
)
