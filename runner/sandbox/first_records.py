"""`records.yaml`: the first records of a sandbox's entities. A record without an `Id` gets the same Id each time."""

from pathlib import Path as FilePath
from uuid import UUID, uuid5

from runner.foundation.problems import Problem
from runner.foundation.values import Json, JsonObject, Path, is_guid, items, kind_of, record
from runner.odata.names import is_entity
from runner.reading.collector import ProblemCollector
from runner.reading.files import stray
from runner.reading.load import read
from runner.sandbox.rules import entity_mistake
from runner.sandbox.typos import check_records

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
    checked = _RecordRules(document=document)
    checked.entities(document.data)
    if checked.problems:
        return {}, tuple(checked.problems)
    written = {entity: [record(row) for row in items(rows)] for entity, rows in record(document.data).items()}
    records = {
        entity: tuple(_with_id(entity, index, row) for index, row in enumerate(rows))
        for entity, rows in written.items()
    }
    return records, tuple(check_records(document, written))


class _RecordRules(ProblemCollector, frozen=True):
    def entities(self, entities: Json) -> None:
        if entities is not None and not isinstance(entities, dict):
            message = f"{kind_of(entities)} is here instead of entities by name"
            hint = "write the name of each entity before its records: `Contact: [{…}]`"
            self.report("E106", message, (), hint=hint)
        for entity, rows in record(entities).items():
            if entity == "runner":
                self.report("E104", "records.yaml has no `runner`", (entity,), at_key=True, hint="leave it out")
            else:
                self._entity(entity, rows)

    def _entity(self, entity: str, rows: Json) -> None:
        if (wrong := entity_mistake(entity)) is not None:
            self.report("E107", wrong, (entity,), at_key=True)
        if not isinstance(rows, list):
            hint = "write a list, each item a record: `- {Name: …}`"
            self.report("E106", f"the records of `{entity}` are {kind_of(rows)}", (entity,), hint=hint)
        ids: set[str] = set()
        for index, row in enumerate(items(rows)):
            if isinstance(row, dict):
                self._record(row, (entity, index), ids)
            else:
                self.report("E106", f"{kind_of(row)} is here instead of a record", (entity, index))

    def _record(self, row: JsonObject, path: Path, ids: set[str]) -> None:
        for column, value in row.items():
            here = (*path, column)
            if not is_entity(column):  # columns are called alike
                self.report("E107", f"`{column}` is no name of a column", here, at_key=True)
            if isinstance(value, list | dict):
                self.report("E106", f"a column holds no {kind_of(value).removeprefix('a ')}", here)
            elif isinstance(value, str) and "{{" in value:
                self.report("E122", "no template is read here", here)
        key, here = row.get("Id"), (*path, "Id")
        if "Id" not in row:
            return
        if not isinstance(key, str) or not is_guid(key):
            self.report("E113", "an `Id` is a GUID", here)
        elif key.lower() in ids:
            self.report("E111", "two records have this Id", here)
        else:
            ids.add(key.lower())


def _with_id(entity: str, index: int, row: JsonObject) -> JsonObject:
    key = str(row["Id"]).lower() if "Id" in row else str(uuid5(_IDS, f"{entity}/{index}"))
    return {"Id": key, **{column: value for column, value in row.items() if column != "Id"}}
