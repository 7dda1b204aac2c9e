"""`execute`: starts a process with Execute(), and waits for its result if it names any."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.kinds import answered_type
from runner.catalogue.model import Process
from runner.expressions.typed import UNKNOWN, Type
from runner.foundation.values import Json, JsonObject, enum_member, record, sure_text, text
from runner.job.actions.action import ActionType, always
from runner.job.model import Job, Show, StepEffect, Until, show_parameters


class Decode(StrEnum):
    AUTO = "auto"
    TEXT = "text"


class Execute(Struct, frozen=True, kw_only=True, gc=False):
    kind: ClassVar[str] = "execute"
    process: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    result: str | None = None
    required: bool = False
    decode: Decode = Decode.AUTO
    until: Until = Until.STARTED
    says_until: bool = False

    @property
    def is_start_enough(self) -> bool:
        """Whether somebody who wrote this knows that the process may still run when the step passes."""
        return self.says_until or self.result is not None

    @property
    def title(self) -> str:
        return f"Execute {self.process}"

    def preview(self, show: Show) -> Iterator[str]:
        result = f" → {self.result}" if self.result else ""
        yield f"execute {self.process}{result}, until {self.until}"
        yield from show_parameters(self.parameters, show)


def _build(value: Json, _: Job | None) -> Execute:
    fields = record(value)
    return Execute(
        process=sure_text(fields["process"]),
        parameters=record(fields.get("parameters")),
        result=text(fields, "result"),
        required=fields.get("required") is True,
        decode=enum_member(Decode, fields.get("decode"), Decode.AUTO),
        until=enum_member(Until, fields.get("until"), Until.DONE if "result" in fields else Until.STARTED),
        says_until="until" in fields,
    )


def _result(fields: JsonObject, process: Process | None) -> Type:
    """An `execute` that asks for no result has none, which another rule reports."""
    code = fields.get("result")
    if not isinstance(code, str):
        return UNKNOWN
    if process is None or code not in process.gives:
        return replace(UNKNOWN, called=code)
    found = answered_type((process.parameters or {})[code], decoded=fields.get("decode") != "text")
    return replace(found, called=code, beside=frozenset(process.gives) - {code})


EXECUTE = ActionType(
    key=Execute.kind,
    build=_build,
    effect=always(StepEffect.ONCE),
    templates=frozenset({"parameters"}),
    is_verified=True,
    result=_result,
)
