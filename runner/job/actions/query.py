"""`query`: reads records through OData."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from runner.catalogue.model import Process
from runner.expressions.typed import RECORD, UNKNOWN, Type, list_of, record_of
from runner.foundation.values import Json, JsonObject, items, number, record, sure_text, text
from runner.job.actions.action import PROCESS_NAMES, ActionType, always
from runner.job.model import Job, Show, StepEffect
from runner.odata.names import listed

TOP = 100


class Query(Struct, frozen=True, kw_only=True):
    """`filter` is a template; more than `top` records are an error."""

    kind: ClassVar[str] = "query"
    entity: str
    filter: str | None = None
    select: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()
    top: int = TOP

    @property
    def title(self) -> str:
        return f"Query {self.entity}"

    def preview(self, show: Show) -> Iterator[str]:
        yield f"query {self.entity}, at most {self.top}"
        if self.filter is not None:
            yield f"  filter {show(self.filter)}"
        for key, names in (("select", self.select), ("orderby", self.orderby)):
            if names:
                yield f"  {key} {', '.join(names)}"


def columns(value: Json) -> tuple[str, ...]:
    """The columns of `select` or `orderby`, a text with commas or a list; empty where a comma separates nothing."""
    texts = [value] if isinstance(value, str) else [item for item in items(value) if isinstance(item, str)]
    return tuple(column for written in texts for column in listed(written))


def _build(value: Json, _: Job | None) -> Query:
    fields = record(value)
    return Query(
        entity=sure_text(fields["entity"]),
        filter=text(fields, "filter"),
        select=columns(fields.get("select")),
        orderby=columns(fields.get("orderby")),
        top=number(fields.get("top"), TOP),
    )


def _result(fields: JsonObject, _: Process | None) -> Type:
    """The type of records, with columns that were asked for by name."""
    asked = columns(fields.get("select"))
    if not asked or not all(column.isidentifier() for column in asked):
        return list_of(Type(kinds=RECORD))
    names = ", ".join(f"`{column}`" for column in asked)
    note = f"`select` asks for {names}: add the column to it"
    return list_of(record_of(dict.fromkeys(("Id", *asked), UNKNOWN), closed=True, note=note))


QUERY = ActionType(
    key=Query.kind,
    build=_build,
    effect=always(StepEffect.READ),
    templates=frozenset({"filter"}),
    result=_result,
    never_gives=PROCESS_NAMES,
)
