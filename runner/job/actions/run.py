"""`run`: starts a process with RunProcess(), which answers with the id of the process."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from msgspec import Struct, field

from runner.catalogue.kinds import answered_type
from runner.catalogue.model import Process
from runner.expressions.typed import UNKNOWN, Type, record_of
from runner.foundation.values import Json, JsonObject, enum_member, items, number, record, sure_text
from runner.job.actions.action import ActionType, always
from runner.job.model import Job, Show, StepEffect, Until, show_parameters


class Run(Struct, frozen=True, kw_only=True):
    """`results` are codes of parameters. `version` is the version that runs; None leaves it to the site."""

    kind: ClassVar[str] = "run"
    process: str
    version: int | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    until: Until = Until.DONE

    @property
    def title(self) -> str:
        return f"Run {self.process}{self._version}"

    @property
    def _version(self) -> str:
        return "" if self.version is None else f", version {self.version}"

    def preview(self, show: Show) -> Iterator[str]:
        results = f" → {', '.join(self.results)}" if self.results else ""
        yield f"run {self.process}{self._version}{results}, until {self.until}"
        yield from show_parameters(self.parameters, show)


def _build(value: Json, _: Job | None) -> Run:
    fields = record(value)
    return Run(
        process=sure_text(fields["process"]),
        version=number(fields.get("version"), 0) if "version" in fields else None,
        parameters=record(fields.get("parameters")),
        results=tuple(sure_text(code) for code in items(fields.get("results"))),
        until=enum_member(Until, fields.get("until"), Until.DONE),
    )


_NOTE = "a `run` gives what its `results` name; beside `result` are `process_id` and `process_status`"


def _result(fields: JsonObject, process: Process | None) -> Type:
    """A record of the results that were asked for; nothing is known of mistaken results."""
    parameters = process.parameters or {} if process else {}
    known = {code: given for code, given in parameters.items() if process and code in process.gives}
    codes = [code for code in items(fields.get("results")) if isinstance(code, str)]
    found = {code: answered_type(known[code], decoded=True) if code in known else UNKNOWN for code in codes}
    is_sound = "process" in fields and "result" not in fields and isinstance(fields.get("results", []), list)
    is_known = process is None or process.parameters is None or all(code in known for code in codes)
    return record_of(found, closed=is_sound and is_known, note=_NOTE)


RUN = ActionType(
    key=Run.kind,
    build=_build,
    effect=always(StepEffect.ONCE),
    templates=frozenset({"parameters"}),
    is_verified=True,
    result=_result,
)
