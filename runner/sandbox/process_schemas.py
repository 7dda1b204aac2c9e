"""The library of processes: VwProcessLib lists the doubles, ProcessSchemaRequest has their signatures.

See `service/README.md`, Library. Ids are made of names. Choices [?]: the row's Id is the schema's; every double is
enabled and traced; a root's parent is the empty GUID; an unknown id is `success: false`. A lookup names no entity.
"""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID, uuid5

from runner.catalogue.design import DIRECTIONS, TYPES
from runner.catalogue.model import Kind, ProcessElement
from runner.foundation.values import EMPTY_GUID, Json, JsonObject, write_json
from runner.odata.functions import Edm
from runner.sandbox.doubles import Deed, Double, Fail, Park
from runner.sandbox.entity_set import EntitySet, EntityTable, system_entity

_SCHEMAS = UUID("5f9c1f5e-6c1d-4c0b-8a53-0c1d3f0e7b61")
_DESIGNS = UUID("a3d2b6c4-8c6f-4d0e-9d0b-2f5c1c7e9a02")
_CULTURE = "en-US"
_TYPES = {kind: key for key, kind in reversed(TYPES.items())}
"""The id of each type; of those that are texts, that which comes first."""


def schema_id(code: str) -> str:
    """The id that the log and the library know a process by."""
    return str(uuid5(_SCHEMAS, code))


def schema_uid(code: str, *parts: str) -> str:
    """The id of a process's design, as RunProcess may name it, or of a part of it."""
    return str(uuid5(_DESIGNS, "/".join((code, *parts))))


def element_uid(code: str, deed: Deed, position: int) -> str:
    """The id of an element's design: that in the file, else an id made of its place."""
    own = deed.uid if isinstance(deed, Park | Fail) else None
    return own or schema_uid(code, "elements", str(position))


def element_caption(deed: Deed, position: int) -> str:
    own = deed.caption if isinstance(deed, Park | Fail) else None
    return own or f"Element {position + 1}"


def entity_set(doubles: Iterable[Double]) -> EntitySet:
    """VwProcessLib. Each version has a row of its own, which leads to that of its root [C]."""
    listed = list(doubles)
    newest: dict[str, int] = {}
    for double in listed:
        newest[double.root] = max(double.version, newest.get(double.root, 0))
    columns: EntityTable[Double] = {
        "Id": (Edm.GUID, lambda double: schema_id(double.code)),
        "UId": (Edm.GUID, lambda double: schema_uid(double.code)),
        "Name": (Edm.STRING, lambda double: double.code),
        "Caption": (Edm.STRING, lambda double: double.caption),
        "Enabled": (Edm.BOOLEAN, lambda _: True),
        "IsActiveVersion": (Edm.BOOLEAN, lambda double: double.active),
        "HasStartEvent": (Edm.BOOLEAN, lambda _: True),
        "Version": (Edm.INTEGER, lambda double: double.version),
        "SysSchemaId": (Edm.GUID, lambda double: schema_id(double.code)),
        "IsMaxVersion": (Edm.BOOLEAN, lambda double: double.version == newest[double.root]),
        "VersionParentId": (Edm.GUID, lambda double: schema_id(double.of) if double.of else EMPTY_GUID),
        "VersionParentUId": (Edm.GUID, lambda double: schema_uid(double.of) if double.of else EMPTY_GUID),
        "IsProcessTracing": (Edm.BOOLEAN, lambda _: True),
    }
    return system_entity(
        "VwProcessLib", columns, lambda _: listed, paths={"SysSchema/Id": lambda double: schema_id(double.code)}
    )


def schema_reply(doubles: Iterable[Double], key: str) -> JsonObject:
    """What ProcessSchemaRequest answers for the library's row with this Id: the metadata is JSON *text* [C]."""
    double = next((double for double in doubles if schema_id(double.code) == key.lower()), None)
    if double is None:
        info = error_of(f'Item with name "{key}" not found', code="ItemNotFoundException")
        return {"success": False, "errorInfo": info, "schema": None}
    uid = schema_uid(double.code)
    schema: JsonObject = {
        "uId": uid,
        "realUId": uid,
        "name": double.code,
        "caption": {_CULTURE: double.caption},
        "metaData": write_json({"metaData": {"schema": _metadata(double)}}),
        "resources": {name: {_CULTURE: text} for name, text in _captions(double).items()},
    }
    return {"success": True, "errorInfo": None, "schema": schema}


def error_of(message: str | None, *, code: str | None = None) -> JsonObject | None:
    """The `errorInfo` of replies that have it [C]; None where nothing went wrong."""
    return None if message is None else {"errorCode": code, "message": message, "stackTrace": None}


def _metadata(double: Double) -> JsonObject:
    parameters: list[Json] = [
        {
            **_declared("ProcessSchemaParameter", code, schema_uid(double.code, "parameters", code), parameter.kind),
            "direction": DIRECTIONS.index(parameter.direction),
            "itemProperties": _items(double.code, code, parameter.items),
        }
        for code, parameter in double.parameters.items()
    ]
    return {
        "managerName": "ProcessSchemaManager",
        "uId": schema_uid(double.code),
        "name": double.code,
        "parameters": parameters,
        "flowElements": _flow(double),
    }


def _items(process: str, code: str, items: Mapping[str, Kind]) -> list[Json]:
    return [
        _declared("ProcessSchemaParameter", name, schema_uid(process, "parameters", code, name), kind)
        for name, kind in items.items()
    ]


def _declared(kind: str, name: str, uid: str, value: Kind) -> JsonObject:
    return {**_designed(kind, name, uid), "dataValueType": _TYPES[value]}


def _flow(double: Double) -> list[Json]:
    """The start, each element at which the process waits, and the end."""
    return [
        _designed("ProcessSchemaStartEvent", "StartEvent1", schema_uid(double.code, "start")),
        *(_designed("ProcessSchemaUserTask", each.name, each.uid) for each in parked(double)),
        _designed("ProcessSchemaTerminateEvent", "TerminateEvent1", schema_uid(double.code, "end")),
    ]


def _designed(kind: str, name: str, uid: str) -> JsonObject:
    return {"typeName": f"Terrasoft.Core.Process.{kind}", "uId": uid, "name": name}


def _captions(double: Double) -> dict[str, str]:
    """The texts of a design, by the names of its resources."""
    return {f"Parameters.{code}.Caption": code for code in double.parameters} | {
        f"BaseElements.{each.name}.Caption": each.caption for each in parked(double)
    }


def parked(double: Double) -> Iterator[ProcessElement]:
    parks = [(place, each.deed) for place, each in enumerate(double.activities) if isinstance(each.deed, Park)]
    for number, (place, park) in enumerate(parks, 1):
        uid, caption = element_uid(double.code, park, place), element_caption(park, place)
        yield ProcessElement(uid=uid, name=f"UserTask{number}", caption=caption, kind="UserTask")
