"""Reads the design of a process, of ProcessSchemaRequest or a package's `metadata.json`, in the words of the language.

`service/README.md`, Library and Packages, has its form. What cannot be read is None or `unknown`, with a message.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from runner.catalogue.model import Direction, Kind, Parameter, ProcessElement
from runner.foundation.sentences import shortened
from runner.foundation.values import Json, JsonObject, guid, is_guid, items, record, text

# `dataValueType` [C], in lower case.
TYPES: Final = {
    "90b65bf8-0ffc-4141-8779-2420877af907": Kind.BOOLEAN,
    "6b6b74e2-820d-490e-a017-2b73d4ccf2b0": Kind.INTEGER,
    "5cc8060d-6d10-4773-89fc-8c12d6f659a6": Kind.DECIMAL,
    "969093e2-2b4e-463b-883a-3d3b8c61f0cd": Kind.MONEY,
    "8b3f29bb-ea14-4ce5-a5c5-293a929b6ba2": Kind.TEXT,
    "325a73b8-0f47-44a0-8412-7606f78003ac": Kind.TEXT,
    "ddb3a1ee-07e8-4d62-b7a9-d0e618b00fbd": Kind.TEXT,
    "5ca35f10-a101-4c67-a96a-383da6afacfc": Kind.TEXT,
    "c0f04627-4620-4bc0-84e5-9419dc8516b1": Kind.TEXT,
    "79bccffa-8c8b-4863-b376-a69d2244182b": Kind.TEXT,
    "23018567-a13c-4320-8687-fd6f9e3699bd": Kind.GUID,
    "b295071f-7ea9-4e62-8d1a-919bf3732ff2": Kind.LOOKUP,
    "d21e9ef4-c064-4012-b286-fa1a8171da44": Kind.DATETIME,
    "603d4960-a1a2-45e9-b232-206a54421b01": Kind.DATE,
    "04cc757b-8f06-482c-8a1a-0c0e171d2410": Kind.TIME,
    "651ec16f-d140-46db-b9e2-825c985a8ac2": Kind.RECORDS,
}
_TYPES_BY_FIRST_DIGITS: Final = {
    "57ee4c31": Kind.DECIMAL,  # Float
    "07ba84ce": Kind.DECIMAL,  # Float1
    "3f62414e": Kind.DECIMAL,  # Float3
    "ff22e049": Kind.DECIMAL,  # Float4
    "a4aaf398": Kind.DECIMAL,  # Float8
    "26cba63c": Kind.TEXT,  # Phone
    "26cba64c": Kind.TEXT,  # Web
    "66cba64c": Kind.TEXT,  # Email
    "95c6e6c4": Kind.TEXT,  # LocalizableString
    "3509b9dd": Kind.TEXT,  # SecureText
}
"""Of these the first eight digits are known, and no more [C]."""
_OBJECT_LIST: Final = "4b51a8b5-1ee9-4437-9d58-f35e083cbcdf"
"""A list of objects that only a process's own code knows [C]; in which form a caller would give it is [?]."""
DIRECTIONS: Final = (Direction.IN, Direction.OUT, Direction.BOTH, Direction.INTERNAL)  # `direction` counts so [C]
_PREFIX: Final = "ProcessSchema"
_FLOW: Final = "Flow"
_BETWEEN: Final = (_FLOW, "Lane", "LaneSet")  # what connects and holds elements: nobody executes it
PLAIN_START: Final = "StartEvent"
_LONGEST_NAME: Final = 200


class Signature(Struct, frozen=True, kw_only=True):
    """What a process takes, gives and holds by its design; None where not known. `odd`: what could not be read."""

    parameters: dict[str, Parameter] | None = None
    elements: tuple[ProcessElement, ...] | None = None
    odd: tuple[str, ...] = ()


def signature(
    schema: JsonObject,
    *,
    captions: Mapping[str, str],
    others: Mapping[str, tuple[str, ...]] | None = None,
    odd: Iterable[str] = (),
) -> Signature:
    """The signature of a design; `captions`, and `others` in other languages, are by names of resources."""
    parameters, elements = schema.get("parameters"), schema.get("flowElements")
    found = [*odd]
    if schema and not isinstance(parameters, list):
        found.append("its metadata does not list its parameters")
    if schema and not isinstance(elements, list):
        found.append("its metadata does not list its elements")
    return Signature(
        parameters=dict(_parameters(parameters, found, captions)) if isinstance(parameters, list) else None,
        elements=_elements(elements, captions, others or {}) if isinstance(elements, list) else None,
        odd=tuple(found),
    )


def kind_of_element(written: Json) -> str:
    """`UserTask` of `Terrasoft.Core.Process.ProcessSchemaUserTask`."""
    name = written.partition(",")[0].rpartition(".")[2] if isinstance(written, str) else ""
    return name.removeprefix(_PREFIX) or "unknown"


def is_flow(element: JsonObject) -> bool:
    return kind_of_element(element.get("typeName")).endswith(_FLOW)


def _parameters(written: list[Json], odd: list[str], captions: Mapping[str, str]) -> Iterator[tuple[str, Parameter]]:
    for parameter in map(record, written):
        code = parameter.get("name")
        if not isinstance(code, str) or not code:
            odd.append("one of its parameters has no name")
            continue
        direction = _direction(parameter.get("direction"))
        if direction is Direction.UNKNOWN:
            odd.append(f"the direction of `{shortened(code, _LONGEST_NAME)}` is not known")
        yield (
            code,
            Parameter(
                kind=_kind(parameter, code, odd),
                direction=direction,
                items=dict(_columns(parameter.get("itemProperties"), code, odd)),
                lookup=guid(parameter.get("referenceSchemaUId")),
                caption=_caption(captions, "Parameters", code),
            ),
        )


def _columns(written: Json, code: str, odd: list[str]) -> Iterator[tuple[str, Kind]]:
    for item in map(record, items(written)):
        name = item.get("name")
        if isinstance(name, str) and name:
            yield name, _kind(item, f"{code}.{name}", odd)


def _kind(parameter: JsonObject, name: str, odd: list[str]) -> Kind:
    """An id that nobody has listed is kept as unknown [C]."""
    key = (text(parameter, "dataValueType") or "").lower()
    known = TYPES.get(key) or _TYPES_BY_FIRST_DIGITS.get(key.partition("-")[0])
    if known is None and key != _OBJECT_LIST:
        why = f"`{shortened(key, _LONGEST_NAME)}` is not known here" if key else "is missing"
        odd.append(f"the type of `{shortened(name, _LONGEST_NAME)}` {why}")
    return known or Kind.UNKNOWN


def _direction(written: Json) -> Direction:
    """Where it is not written it is variable: the caller may give it and may ask for it [C]."""
    if written is None:
        return Direction.BOTH
    is_known = isinstance(written, int) and not isinstance(written, bool) and 0 <= written < len(DIRECTIONS)
    return DIRECTIONS[written] if is_known and isinstance(written, int) else Direction.UNKNOWN


def _elements(
    written: list[Json], captions: Mapping[str, str], others: Mapping[str, tuple[str, ...]]
) -> tuple[ProcessElement, ...]:
    """Each id once, in the order of the flows."""
    read = (_element(element, captions, others) for element in map(record, written))
    found = {each.uid: each for each in read if each}
    order = _order(written)
    return tuple(sorted(found.values(), key=lambda each: order.get(each.uid, len(order))))


def _element(
    element: JsonObject, captions: Mapping[str, str], others: Mapping[str, tuple[str, ...]]
) -> ProcessElement | None:
    uid, kind, name = guid(element.get("uId")), kind_of_element(element.get("typeName")), text(element, "name") or ""
    if uid is None or not is_guid(uid) or kind.endswith(_BETWEEN):
        return None
    caption, also = _caption(captions, "BaseElements", name), others.get(f"BaseElements.{name}.Caption", ())
    return ProcessElement(uid=uid, name=name, kind=kind, caption=caption, also=also)


def _order(written: list[Json]) -> Mapping[str, int]:
    """The places of the elements that flows reach, in the order of the flows."""
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


def _caption(captions: Mapping[str, str], group: str, name: str) -> str:
    """A caption that is the name once more says nothing."""
    caption = captions.get(f"{group}.{name}.Caption", "")
    return "" if caption == name else caption
