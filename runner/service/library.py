"""The library of processes: what ProcessSchemaRequest tells of one, in the words of the language (SERVICE.md 7).

Pure. Nothing odd is refused: what cannot be read is null or `unknown`, and a sentence says so.
"""

from collections.abc import Iterator
from typing import Final

from runner.raw import record
from runner.service.bodies import NonsenseError, parsed, shortened
from runner.values import Json, JsonObject, kind_of

# `dataValueType` [C], in lower case.
_TYPES: Final = {
    "90b65bf8-0ffc-4141-8779-2420877af907": "boolean",
    "6b6b74e2-820d-490e-a017-2b73d4ccf2b0": "integer",
    "5cc8060d-6d10-4773-89fc-8c12d6f659a6": "decimal",
    "969093e2-2b4e-463b-883a-3d3b8c61f0cd": "money",
    "8b3f29bb-ea14-4ce5-a5c5-293a929b6ba2": "text",
    "325a73b8-0f47-44a0-8412-7606f78003ac": "text",
    "ddb3a1ee-07e8-4d62-b7a9-d0e618b00fbd": "text",
    "5ca35f10-a101-4c67-a96a-383da6afacfc": "text",
    "c0f04627-4620-4bc0-84e5-9419dc8516b1": "text",
    "79bccffa-8c8b-4863-b376-a69d2244182b": "text",
    "23018567-a13c-4320-8687-fd6f9e3699bd": "guid",
    "b295071f-7ea9-4e62-8d1a-919bf3732ff2": "lookup",
    "d21e9ef4-c064-4012-b286-fa1a8171da44": "datetime",
    "603d4960-a1a2-45e9-b232-206a54421b01": "date",
    "04cc757b-8f06-482c-8a1a-0c0e171d2410": "time",
    "651ec16f-d140-46db-b9e2-825c985a8ac2": "records",
}
_OBJECT_LIST: Final = "4b51a8b5-1ee9-4437-9d58-f35e083cbcdf"
"""A list of objects that only a process's own code knows [C]; in which form a caller would give it is [?]."""
_DIRECTIONS: Final = ("in", "out", "both", "internal")
"""`direction` counts so [C]."""
_PREFIX: Final = "ProcessSchema"
_BETWEEN: Final = ("Flow", "Lane", "LaneSet")
"""What connects and holds elements: nobody executes it."""
_NO_GUID: Final = "00000000-0000-0000-0000-000000000000"


def signature(answer: Json) -> Json:
    """What a `ReadSchema` answers."""
    if not isinstance(answer, dict):
        return {"parameters": None, "elements": None, "odd": [f"the site's answer is {kind_of(answer)}"]}
    odd: list[Json] = []
    schema = _schema(answer, odd)
    parameters, elements = schema.get("parameters"), schema.get("flowElements")
    if schema and not isinstance(parameters, list):
        odd.append("its metadata does not tell its parameters")
    if schema and not isinstance(elements, list):
        odd.append("its metadata does not tell its elements")
    return {
        "parameters": list(_parameters(parameters, odd)) if isinstance(parameters, list) else None,
        "elements": list(_elements(elements)) if isinstance(elements, list) else None,
        "odd": odd,
    }


def _schema(answer: JsonObject, odd: list[Json]) -> JsonObject:
    """The design of a process, in the metadata, which is JSON *text* [C]."""
    metadata = record(answer.get("schema")).get("metaData")
    if metadata is None or metadata == "":
        odd.append("the site gives no metadata of it")
        return {}
    if isinstance(metadata, str):
        try:
            metadata = parsed(metadata)
        except NonsenseError as error:
            odd.append(f"its metadata cannot be read: {error}")
            return {}
    schema = record(record(record(metadata).get("metaData")).get("schema"))
    if not schema:
        odd.append("its metadata holds no design")
    return schema


def _parameters(written: list[Json], odd: list[Json]) -> Iterator[JsonObject]:
    for parameter in map(record, written):
        code = parameter.get("name")
        if not isinstance(code, str) or not code:
            odd.append("one of its parameters has no name")
            continue
        direction = _direction(parameter.get("direction"))
        if direction == "unknown":
            odd.append(f"the direction of `{shortened(code)}` is not told")
        yield {
            "code": code,
            "type": _type(parameter, code, odd),
            "direction": direction,
            "items": list(_items(parameter.get("itemProperties"), code, odd)),
            "lookup": _guid(parameter.get("referenceSchemaUId")),
        }


def _items(written: Json, code: str, odd: list[Json]) -> Iterator[JsonObject]:
    for item in map(record, written if isinstance(written, list) else []):
        name = item.get("name")
        if isinstance(name, str) and name:
            yield {"code": name, "type": _type(item, f"{code}.{name}", odd)}


def _type(parameter: JsonObject, name: str, odd: list[Json]) -> str:
    """The type in the words of the language. One whose id nobody has listed is kept as unknown [C]."""
    written = parameter.get("dataValueType")
    key = written.lower() if isinstance(written, str) else ""
    if key not in _TYPES and key != _OBJECT_LIST:
        told = f"`{shortened(key)}` is not known here" if key else "is not told"
        odd.append(f"the type of `{shortened(name)}` {told}")
    return _TYPES.get(key, "unknown")


def _direction(written: Json) -> str:
    """It may be missing [C]."""
    is_known = isinstance(written, int) and not isinstance(written, bool) and 0 <= written < len(_DIRECTIONS)
    return _DIRECTIONS[written] if is_known and isinstance(written, int) else "unknown"


def _elements(written: list[Json]) -> Iterator[JsonObject]:
    for element in map(record, written):
        uid, name, kind = _guid(element.get("uId")), element.get("name"), _kind(element.get("typeName"))
        if uid is not None and not kind.endswith(_BETWEEN):
            yield {"uid": uid, "name": name if isinstance(name, str) else "", "type": kind}


def _kind(written: Json) -> str:
    """`UserTask` of `Terrasoft.Core.Process.ProcessSchemaUserTask`."""
    name = written.partition(",")[0].rpartition(".")[2] if isinstance(written, str) else ""
    return name.removeprefix(_PREFIX) or "unknown"


def _guid(written: Json) -> str | None:
    return written.lower() if isinstance(written, str) and written and written != _NO_GUID else None
