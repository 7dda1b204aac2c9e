"""The design of a process as the platform writes it → parameters and elements in the words of the language.

A reader for both sources: what ProcessSchemaRequest answers, and `metadata.json` of a package (`service/README.md`,
Library and Packages), in the names that the first of them uses. Nothing odd is refused: what cannot be read is null or
`unknown`, and a sentence says so. Parameters and elements are JSON here, as an answer of the service is; `parameters`
and `elements` of it are made into records below.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from runner.catalogue.model import Direction, Kind, Parameter, ProcessElement
from runner.foundation.guids import guid, is_guid
from runner.foundation.raw import items, one_of, record, text
from runner.foundation.values import Json, JsonObject

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
_TYPES_BY_FIRST_DIGITS: Final = {
    "57ee4c31": "decimal",  # Float
    "07ba84ce": "decimal",  # Float1
    "3f62414e": "decimal",  # Float3
    "ff22e049": "decimal",  # Float4
    "a4aaf398": "decimal",  # Float8
    "26cba63c": "text",  # Phone
    "26cba64c": "text",  # Web
    "66cba64c": "text",  # Email
    "95c6e6c4": "text",  # LocalizableString
    "3509b9dd": "text",  # SecureText
}
"""Of these the first eight digits are known, and no more [C]."""
_OBJECT_LIST: Final = "4b51a8b5-1ee9-4437-9d58-f35e083cbcdf"
"""A list of objects that only a process's own code knows [C]; in which form a caller would give it is [?]."""
_DIRECTIONS: Final = ("in", "out", "both", "internal")
"""`direction` counts so [C]."""
_PREFIX: Final = "ProcessSchema"
_FLOW: Final = "Flow"
_BETWEEN: Final = (_FLOW, "Lane", "LaneSet")
"""What connects and holds elements: nobody executes it."""
PLAIN_START: Final = "StartEvent"
_LONGEST_NAME: Final = 200


def signature(schema: JsonObject, odd: list[Json], *, captions: Mapping[str, str]) -> JsonObject:
    """`{"parameters", "elements"}` of a design, each null where it does not say. `captions` are by names of resources.

    An element's caption, and a parameter's, is left out where it has none.
    """
    parameters, elements = schema.get("parameters"), schema.get("flowElements")
    if schema and not isinstance(parameters, list):
        odd.append("its metadata does not list its parameters")
    if schema and not isinstance(elements, list):
        odd.append("its metadata does not list its elements")
    return {
        "parameters": list(_parameters(parameters, odd, captions)) if isinstance(parameters, list) else None,
        "elements": list(_elements(elements, captions)) if isinstance(elements, list) else None,
    }


def parameters(signature: Json) -> dict[str, Parameter] | None:
    """The parameters of a signature as records, by their codes; None where it does not list them."""
    if not isinstance(signature, list):
        return None
    written = [record(each) for each in signature]
    return {
        str(fields.get("code")): parameter(
            fields, {str(item.get("code")): item.get("type") for item in map(record, items(fields.get("items")))}
        )
        for fields in written
    }


def elements(signature: Json) -> tuple[ProcessElement, ...] | None:
    """The elements of a signature as records, each id once, in their order; None where it does not list them."""
    if not isinstance(signature, list):
        return None
    found = [element(str(fields.get("uid")), fields) for fields in map(record, signature)]
    return tuple({each.uid: each for each in found}.values())


def parameter(fields: JsonObject, columns: JsonObject) -> Parameter:
    """A parameter as signatures and catalogue files have it. `columns` are the types of its items by their names."""
    return Parameter(
        kind=Kind.named(fields.get("type")),
        direction=one_of(Direction, fields.get("direction"), Direction.UNKNOWN),
        items={name: Kind.named(kind) for name, kind in columns.items()},
        lookup=text(fields, "lookup"),
        caption=text(fields, "caption") or "",
    )


def element(uid: str, fields: JsonObject) -> ProcessElement:
    """An element as signatures and catalogue files have it."""
    return ProcessElement(
        uid=uid,
        name=text(fields, "name") or "",
        kind=text(fields, "type") or "",
        caption=text(fields, "caption") or "",
    )


def kind_of_element(written: Json) -> str:
    """`UserTask` of `Terrasoft.Core.Process.ProcessSchemaUserTask`."""
    name = written.partition(",")[0].rpartition(".")[2] if isinstance(written, str) else ""
    return name.removeprefix(_PREFIX) or "unknown"


def is_flow(element: JsonObject) -> bool:
    return kind_of_element(element.get("typeName")).endswith(_FLOW)


def _parameters(written: list[Json], odd: list[Json], captions: Mapping[str, str]) -> Iterator[JsonObject]:
    for parameter in map(record, written):
        code = parameter.get("name")
        if not isinstance(code, str) or not code:
            odd.append("one of its parameters has no name")
            continue
        direction = _direction(parameter.get("direction"))
        if direction == "unknown":
            odd.append(f"the direction of `{_shortened(code)}` is not known")
        yield {
            "code": code,
            "type": _type(parameter, code, odd),
            "direction": direction,
            "items": list(_items(parameter.get("itemProperties"), code, odd)),
            "lookup": guid(parameter.get("referenceSchemaUId")),
            **_caption(captions, "Parameters", code),
        }


def _items(written: Json, code: str, odd: list[Json]) -> Iterator[JsonObject]:
    for item in map(record, written if isinstance(written, list) else []):
        name = item.get("name")
        if isinstance(name, str) and name:
            yield {"code": name, "type": _type(item, f"{code}.{name}", odd)}


def _type(parameter: JsonObject, name: str, odd: list[Json]) -> str:
    """The type in the words of the language. An id that nobody has listed is kept as unknown [C]."""
    written = parameter.get("dataValueType")
    key = written.lower() if isinstance(written, str) else ""
    known = _TYPES.get(key) or _TYPES_BY_FIRST_DIGITS.get(key.partition("-")[0])
    if known is None and key != _OBJECT_LIST:
        why = f"`{_shortened(key)}` is not known here" if key else "is missing"
        odd.append(f"the type of `{_shortened(name)}` {why}")
    return known or "unknown"


def _direction(written: Json) -> str:
    """Where it is not written it is variable: the caller may give it and may ask for it [C]."""
    if written is None:
        return "both"
    is_known = isinstance(written, int) and not isinstance(written, bool) and 0 <= written < len(_DIRECTIONS)
    return _DIRECTIONS[written] if is_known and isinstance(written, int) else "unknown"


def _elements(written: list[Json], captions: Mapping[str, str]) -> Iterator[JsonObject]:
    listed = [found for element in map(record, written) if (found := _element(element, captions)) is not None]
    order = _order(written)
    yield from sorted(listed, key=lambda each: order.get(str(each["uid"]), len(order)))


def _element(element: JsonObject, captions: Mapping[str, str]) -> JsonObject | None:
    uid, name, kind = guid(element.get("uId")), element.get("name"), kind_of_element(element.get("typeName"))
    if uid is None or not is_guid(uid) or kind.endswith(_BETWEEN):
        return None
    called = name if isinstance(name, str) else ""
    return {"uid": uid, "name": called, "type": kind, **_caption(captions, "BaseElements", called)}


def _order(written: list[Json]) -> Mapping[str, int]:
    """The places of elements as the flows lead, from where nothing leads to; what no flow reaches has none.

    Without flows nothing has a place, and the order of the design remains.
    """
    following: dict[str, list[str]] = {}
    for flow in filter(is_flow, map(record, written)):
        source, target = guid(flow.get("sourceRefUId")), guid(flow.get("targetRefUId"))
        if source is not None and target is not None:
            following.setdefault(source, []).append(target)
    reached = {target for targets in following.values() for target in targets}
    waiting = [source for source in following if source not in reached]
    places: dict[str, int] = {}
    for uid in waiting:  # it grows as it is walked
        if uid not in places:
            places[uid] = len(places)
            waiting.extend(target for target in following.get(uid, ()) if target not in places)
    return places


def _caption(captions: Mapping[str, str], group: str, name: str) -> JsonObject:
    """A caption that is the name once more says nothing."""
    caption = captions.get(f"{group}.{name}.Caption")
    return {"caption": caption} if caption and caption != name else {}


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
