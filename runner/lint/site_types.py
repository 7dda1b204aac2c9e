"""Types of what processes give and take, of inputs, and of what each action answers.

What a site sends is known from few measurements: a type here says no more than those do.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from runner.catalogue.kind_types import answered_type
from runner.catalogue.model import Process
from runner.expressions import typed
from runner.expressions.typed import (
    A_NUMBER,
    A_TEXT,
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    list_of,
    or_null,
    record_of,
)
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject
from runner.job.columns import columns

KINDS: Final[Mapping[str, int]] = {
    "string": TEXT,
    "integer": NUMBER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "array": LIST,
    "object": RECORD,
    "null": NULL,
}
"""The kinds of the types of a JSON Schema."""
_ROW: Final = record_of(
    {name: or_null(A_TEXT) for name in ("id", "name", "started", "completed", "status", "owner", "error")}, closed=True
)


OF_FAILURES: Final = record_of(
    {
        "count": A_NUMBER,
        "failed": list_of(
            record_of({name: or_null(A_TEXT) for name in ("id", "process", "name", "started", "error")}, closed=True)
        ),
    },
    closed=True,
)
"""The result of a `failures`."""


def of_result(fields: JsonObject, process: Process | None) -> Type:
    """The result of an `execute`. One that asks for none has none, which is told elsewhere."""
    code = fields.get("result")
    if not isinstance(code, str):
        return UNKNOWN
    if process is None or code not in process.gives:
        return replace(UNKNOWN, called=code)
    return replace(answered_type((process.parameters or {})[code], decoded=fields.get("decode") != "text"), called=code)


def of_results(fields: JsonObject, process: Process | None) -> Type:
    """The result of a `run`: a record of those that were asked for, and of no others.

    Where something is wrong with what is asked for, that is told, and of what comes of it nothing is.
    """
    known = {code: one for code, one in (process.parameters or {}).items() if code in process.gives} if process else {}
    codes = [code for code in items(fields.get("results")) if isinstance(code, str)]
    found = {code: answered_type(known[code], decoded=True) if code in known else UNKNOWN for code in codes}
    is_sound = "result" not in fields and isinstance(fields.get("results", []), list)
    is_known = process is None or process.parameters is None or all(code in known for code in codes)
    return record_of(found, closed=is_sound and is_known, note="a `run` gives what its `results` name")


def of_query(fields: JsonObject) -> Type:
    """The result of a `query`: records, of which the columns are known only where they were asked for by name."""
    asked = columns(fields.get("select"))
    if not asked or not all(column.isidentifier() for column in asked):
        return list_of(Type(kinds=RECORD))
    listed = ", ".join(f"`{column}`" for column in asked)
    note = f"`select` asks for {listed}: add the column to it"
    return list_of(record_of(dict.fromkeys(("Id", *asked), UNKNOWN), closed=True, note=note))


def of_row() -> Type:
    """The result of a `wait` or a `cancel`: a row of the process log."""
    return _ROW


def of_schema(schema: Json) -> Type:
    """The type of a value that fits a JSON Schema, as far as its simplest keywords tell."""
    if not isinstance(schema, dict):
        return UNKNOWN
    known = [_of_listed(schema), _of_named(schema)]
    found = [one for one in known if one is not None]
    return min(found, key=lambda one: one.kinds.bit_count()) if found else UNKNOWN


def _of_named(schema: JsonObject) -> Type | None:
    """By its `type`, and what it says of items and keys."""
    written = schema.get("type")
    kinds = 0
    for name in items(written) if isinstance(written, list) else [written]:
        if not isinstance(name, str) or name not in KINDS:
            return None
        kinds |= KINDS[name]
    fields = {name: of_schema(part) for name, part in record(schema.get("properties")).items()}
    is_closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    item = of_schema(schema["items"]) if isinstance(schema.get("items"), dict) and "prefixItems" not in schema else None
    is_known = bool(fields) and kinds & RECORD
    return Type(kinds=kinds, item=item, fields=fields if is_known else None, closed=bool(is_known) and is_closed)


def _of_listed(schema: JsonObject) -> Type | None:
    """By the values that it lists."""
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    return typed.any_of(map(_of_listed_value, listed)) if isinstance(listed, list) else None


def _of_listed_value(value: Json) -> Type:
    return Type(kinds=TEXT, words=frozenset({value})) if isinstance(value, str) else typed.of_value(value)
