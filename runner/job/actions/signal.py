"""`signal`: changes a record, and follows the process that this starts."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct, field

from runner.expressions.typed import A_GUID, record_of
from runner.foundation.values import Json, enum_member, record, sure_text, text
from runner.job.actions.action import ActionType
from runner.job.model import Job, Show, StepEffect, Until, show_values


class Change(StrEnum):
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Signal(Struct, frozen=True, kw_only=True):
    """Changes a record, and follows the process that this starts."""

    kind: ClassVar[str] = "signal"
    change: Change
    entity: str
    id: str | None = None  # a GUID or a template; None: the run chooses it
    values: Mapping[str, Json] = field(default_factory=dict)
    starts: str | None = None  # the code of the process
    until: Until = Until.DONE

    @property
    def title(self) -> str:
        return f"{self.change.capitalize()} a record of {self.entity}"

    def preview(self, show: Show) -> Iterator[str]:
        which = "" if self.id is None else f" {show(self.id)}"
        starts = "" if self.starts is None else f", which starts {self.starts}, until {self.until}"
        yield f"{self.change} {self.entity}{which}{starts}"
        yield from show_values(self.values, show)


def _build(value: Json, _: Job | None) -> Signal:
    whole = record(value)
    change = next(change for change in Change if change in whole)
    fields = record(whole[change])
    values = record(fields.get("values"))
    return Signal(
        change=change,
        entity=sure_text(fields["entity"]),
        id=text(fields, "id") or text(values, "Id"),
        values={column: given for column, given in values.items() if column != "Id"},
        starts=text(whole, "starts"),
        until=enum_member(Until, whole.get("until"), Until.DONE),
    )


SIGNAL = ActionType(
    key=Signal.kind,
    build=_build,
    effect=lambda value: StepEffect.ONCE if "update" in record(value) else StepEffect.IDEMPOTENT,
    templates=frozenset({"id", "values"}),
    is_verified=True,
    result=lambda _value, _process: record_of({"Id": A_GUID}),
)
