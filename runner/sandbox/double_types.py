"""Types in a double: what goes wrong for sure with the values of its parameters, told as it is of jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runner.catalogue.model import Kind as KindOfSite
from runner.catalogue.model import Parameter
from runner.expressions.typed import (
    A_BOOLEAN,
    A_GUID,
    A_NUMBER,
    A_TEXT,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    list_of,
    record_of,
)
from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path
from runner.lint.fitting import unfit_type
from runner.lint.telling import Telling
from runner.reading.document import Document
from runner.sandbox.doubles import Kind

_TYPES: Final[Mapping[str, Type]] = {
    Kind.TEXT: A_TEXT,
    Kind.INTEGER: A_NUMBER,
    Kind.DECIMAL: A_NUMBER,
    Kind.MONEY: A_NUMBER,
    Kind.BOOLEAN: A_BOOLEAN,
    Kind.GUID: A_GUID,
    Kind.LOOKUP: A_GUID,
    Kind.DATETIME: Type(kinds=TEXT, form="datetime"),
    Kind.DATE: Type(kinds=TEXT, form="date"),
    Kind.TIME: Type(kinds=TEXT, form="time"),
}
"""A parameter that was not given holds its type's empty value, never null."""
_ROW: Final = record_of({"Id": A_GUID})
_ON_RECORDS: Final = ("insert", "select", "update", "delete")


def check(document: Document) -> tuple[Problem, ...]:
    """Called for a document of any shape."""
    fields = record(document.data)
    kinds = {code: str(record(one).get("type")) for code, one in record(fields.get("parameters")).items()}
    declared = {code: _of_parameter(record(one)) for code, one in record(fields.get("parameters")).items()}
    names = {"parameters": record_of(declared), "run": record_of({"id": A_GUID})}
    flow = _Double(telling=Telling(document=document), kinds=kinds, names=names)
    flow.telling.condition(record(fields.get("starts_on")).get("where"), ("starts_on", "where"), {"row": _ROW})
    for index, activity in enumerate(items(fields.get("activities"))):
        flow.activity(record(activity), ("activities", index))
    return tuple(flow.telling.problems)


def _of_parameter(fields: JsonObject) -> Type:
    kind = str(fields.get("type"))
    if kind != Kind.RECORDS:
        return _TYPES.get(kind, UNKNOWN)
    columns = {name: _TYPES.get(str(column), UNKNOWN) for name, column in record(fields.get("items")).items()}
    return list_of(record_of(columns, closed=True) if columns else Type(kinds=RECORD))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Double:
    """`kinds` are those of the parameters as they are written, `names` the types of what expressions may use."""

    telling: Telling
    kinds: Mapping[str, str]
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
        kind = self._kind(code)
        if kind is None or not isinstance(value, str) or "{{" not in value:
            return
        wrong = unfit_type(code, Parameter(kind=kind), found, source=value.strip())
        if wrong is not None:
            self.telling.report(wrong.code, wrong.message, path, hint=wrong.hint, warning=wrong.warning)

    def _kind(self, code: str) -> KindOfSite | None:
        written = self.kinds.get(code)
        return KindOfSite(written) if written in set(Kind) else None
