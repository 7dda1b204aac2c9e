"""`records.yaml`: the first records of a sandbox's entities. Its shape is small enough to be checked here, by hand.

A record without an `Id` gets one that is the same each time the file is read.
"""

import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from uuid import UUID, uuid5

from runner.foundation.guids import is_guid
from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path, kind_of
from runner.language.meant import of_names
from runner.reading.files import stray
from runner.reading.load import Document, read
from runner.sandbox.doubles import OWN_ENTITIES
from runner.sandbox.unwritten import slips_of_records

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IDS = UUID("0b8f5a0e-3c0a-4c39-9f56-1f2f7f7a9c10")

Records = dict[str, tuple[JsonObject, ...]]


def load(file: FilePath) -> tuple[Records, tuple[Problem, ...]]:
    """The records by entity, or the problems; nothing of either where there is no such file."""
    if not file.exists():
        return {}, ()
    if (wrong := stray(file, name=str(file))) is not None:
        return {}, (wrong,)
    document = read(file, name=str(file))
    if isinstance(document, tuple):
        return {}, document
    problems = tuple(_problems(document))
    if problems:
        return {}, problems
    return _records(document.data), tuple(slips_of_records(document, _written(document.data)))


def _problems(document: Document) -> Iterator[Problem]:
    match document.data:
        case None:
            pass
        case dict() as entities:
            for entity, rows in entities.items():
                if entity == "runner":
                    message = "records.yaml has no `runner`"
                    yield document.problem("E104", message, path=(entity,), at_key=True, hint="leave it out")
                else:
                    yield from _of_entity(document, entity, rows)
        case other:
            message = f"{kind_of(other)} stands where entities by name should"
            yield document.problem("E106", message, path=(), hint=of_names(other, ()))


def _of_entity(document: Document, entity: str, rows: Json) -> Iterator[Problem]:
    if not _NAME.fullmatch(entity):
        yield document.problem("E107", f"`{entity}` is no name of an entity", path=(entity,), at_key=True)
    if entity in OWN_ENTITIES:
        yield document.problem("E107", f"`{entity}` is kept by the sandbox itself", path=(entity,), at_key=True)
    if not isinstance(rows, list):
        hint = "write a list, each item a record: `- {Name: …}`"
        yield document.problem("E106", f"the records of `{entity}` are {kind_of(rows)}", path=(entity,), hint=hint)
        return
    ids: set[str] = set()
    for index, row in enumerate(rows):
        path = (entity, index)
        if isinstance(row, dict):
            yield from _of_record(document, row, path, ids)
        else:
            yield document.problem("E106", f"{kind_of(row)} stands where a record should", path=path)


def _of_record(document: Document, row: JsonObject, path: Path, ids: set[str]) -> Iterator[Problem]:
    for column, value in row.items():
        here = (*path, column)
        if not _NAME.fullmatch(column):
            yield document.problem("E107", f"`{column}` is no name of a column", path=here, at_key=True)
        if isinstance(value, list | dict):
            yield document.problem("E106", f"a column holds no {kind_of(value).removeprefix('a ')}", path=here)
        elif isinstance(value, str) and "{{" in value:
            yield document.problem("E122", "no template is read here", path=here)
    key = row.get("Id")
    if "Id" not in row:
        return
    if not isinstance(key, str) or not is_guid(key):
        yield document.problem("E113", "an `Id` is a GUID", path=(*path, "Id"))
    elif key.lower() in ids:
        yield document.problem("E111", "two records have this Id", path=(*path, "Id"))
    else:
        ids.add(key.lower())


def _written(entities: Json) -> dict[str, list[JsonObject]]:
    """The records as they stand in a file without mistakes."""
    return {entity: [record(row) for row in items(rows)] for entity, rows in record(entities).items()}


def _records(entities: Json) -> Records:
    return {
        entity: tuple(_record(entity, index, row) for index, row in enumerate(rows))
        for entity, rows in _written(entities).items()
    }


def _record(entity: str, index: int, row: JsonObject) -> JsonObject:
    key = str(row["Id"]).lower() if "Id" in row else str(uuid5(_IDS, f"{entity}/{index}"))
    return {"Id": key, **{column: value for column, value in row.items() if column != "Id"}}
