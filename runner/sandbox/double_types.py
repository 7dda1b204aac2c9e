"""Types in a double: what goes wrong for sure with the values of its parameters, told as it is of jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runner.catalogue.kind_types import held_type
from runner.catalogue.model import Kind, Parameter
from runner.expressions.typed import A_GUID, Type, record_of
from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path
from runner.lint.fitting import unfit_type
from runner.lint.telling import Telling
from runner.reading.document import Document

_ROW: Final = record_of({"Id": A_GUID})
_ON_RECORDS: Final = ("insert", "select", "update", "delete")


def check(document: Document) -> tuple[Problem, ...]:
    """Called for a document of any shape."""
    fields = record(document.data)
    parameters = {code: _parameter(record(one)) for code, one in record(fields.get("parameters")).items()}
    held = {code: held_type(parameter) for code, parameter in parameters.items()}
    names = {"parameters": record_of(held), "run": record_of({"id": A_GUID})}
    flow = _Double(telling=Telling(document=document), parameters=parameters, names=names)
    flow.telling.condition(record(fields.get("starts_on")).get("where"), ("starts_on", "where"), {"row": _ROW})
    for index, activity in enumerate(items(fields.get("activities"))):
        flow.activity(record(activity), ("activities", index))
    return tuple(flow.telling.problems)


def _parameter(fields: JsonObject) -> Parameter:
    columns = {name: Kind.named(kind) for name, kind in record(fields.get("items")).items()}
    return Parameter(kind=Kind.named(fields.get("type")), items=columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Double:
    """`names` are the types of what expressions may use."""

    telling: Telling
    parameters: Mapping[str, Parameter]
    names: Mapping[str, Type]

    def activity(self, fields: JsonObject, path: Path) -> None:
        self.telling.condition(fields.get("if"), (*path, "if"), self.names)
        for code, value in record(fields.get("set")).items():
            self._set(code, value, (*path, "set", code))
        self.telling.value(fields.get("fail"), (*path, "fail"), self.names)
        for kind in _ON_RECORDS:
            self._on_records(record(fields.get(kind)), (*path, kind))

    def _on_records(self, fields: JsonObject, path: Path) -> None:
        names = {**self.names, "row": _ROW}
        self.telling.condition(fields.get("where"), (*path, "where"), names)
        self.telling.value(fields.get("values"), (*path, "values"), names)

    def _set(self, code: str, value: Json, path: Path) -> None:
        """A value without templates was read before, as the parameter will read it."""
        found = self.telling.value(value, path, self.names)
        parameter = self.parameters.get(code)
        if parameter is None or not isinstance(value, str) or "{{" not in value:
            return
        wrong = unfit_type(code, parameter, found, source=value.strip())
        if wrong is not None:
            self.telling.report(wrong.code, wrong.message, path, hint=wrong.hint, warning=wrong.warning)
