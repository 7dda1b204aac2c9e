"""A schema of a package as a version of a process, with its signature (`service/README.md`, Packages).

Keys, short in packages and long in an export, become the names of the service, so that a single reader does. What
a file does not say is not known.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from runner.catalogue import design
from runner.catalogue.families import DesignVersion
from runner.catalogue.model import Parameter, ProcessElement
from runner.foundation.problems import Problem
from runner.foundation.values import Json, JsonObject, guid, items, record, text
from runner.packages.files import BrokenError, broken, captions_of, json_of
from runner.packages.finding import DESCRIPTOR

_MANAGER: Final = "ProcessSchemaManager"
_CULTURE: Final = "en-US"
_SHORT: Final = {
    "FJ1": "parameters",
    "BK4": "flowElements",
    "BK8": "parentSchemaUId",
    "IJ7": "isActiveVersion",
    "IJ9": "version",
    "A2": "name",
    "BL1": "typeName",
    "L1": "dataValueType",
    "L9": "referenceSchemaUId",
    "L12": "direction",
    "CI1": "sourceRefUId",
    "CI2": "targetRefUId",
    "CI3": "conditionExpression",
    "CI4": "flowType",
}
_DEFAULT, _CONDITIONAL = 1, 2  # `flowType` [C]


class PackageSchema(Struct, frozen=True, kw_only=True):
    """A schema of a package."""

    version: DesignVersion
    file: Path  # its metadata
    changed: int = 0  # sorts as time
    parameters: Mapping[str, Parameter] | None = None
    elements: tuple[ProcessElement, ...] | None = None
    starts: tuple[str, ...] = ()  # kinds of its start events
    stuck: tuple[str, ...] = ()  # elements whose flows all have conditions
    odd: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def read_schema(folder: Path) -> PackageSchema | Problem | None:
    """The process in a folder; None for a schema of another kind, a problem where its kind is not known."""
    try:
        descriptor = record(json_of(folder / DESCRIPTOR).get("Descriptor"))
    except BrokenError as error:
        return error.problem
    code = text(descriptor, "Name") or folder.name
    return _process(folder, code, descriptor) if descriptor.get("ManagerName") == _MANAGER else None


def _process(folder: Path, code: str, descriptor: JsonObject) -> PackageSchema:
    problems: list[Problem] = []
    design_file, properties_file = folder / "metadata.json", folder / "properties.json"
    properties = _read(properties_file, problems) if properties_file.exists() else {}
    captions = _captions(folder.parents[1] / "Resources" / f"{folder.name}.Process", problems)
    schema = _design(design_file, problems)
    written = [_renamed(record(each)) for each in items(schema.get("flowElements"))]
    schema = _with_parts(schema, written)
    signature = design.signature(schema, captions=captions)
    kinds = [design.kind_of_element(element.get("typeName")) for element in written]
    starts = tuple(kind for kind in kinds if kind.startswith("Start"))
    known = record(properties.get("Properties"))
    return PackageSchema(
        version=_version(code, descriptor, schema=schema, properties=known, captions=captions, starts=starts),
        file=design_file,
        changed=_moment(descriptor.get("ModifiedOnUtc")),
        parameters=signature.parameters,
        elements=signature.elements,
        starts=starts,
        stuck=tuple(_stuck(written)),
        odd=signature.odd,
        problems=tuple(problems),
    )


def _design(file: Path, problems: list[Problem]) -> JsonObject:
    metadata = _read(file, problems)
    schema = record(record(metadata.get("MetaData")).get("Schema"))
    if metadata and not schema:
        problems.append(broken(file, "it holds no design of a process").problem)
    return _renamed(schema)


def _read(file: Path, problems: list[Problem]) -> JsonObject:
    try:
        return json_of(file)
    except BrokenError as error:
        problems.append(error.problem)
        return {}


def _captions(folder: Path, problems: list[Problem]) -> dict[str, str]:
    """The texts of a culture: the usual culture, else the first."""
    usual = folder / f"resource.{_CULTURE}.xml"
    file = usual if usual.is_file() else next(iter(sorted(folder.glob("resource.*.xml"))), None)
    try:
        return {} if file is None else captions_of(file)
    except BrokenError as error:
        problems.append(error.problem)
        return {}


def _renamed(written: JsonObject) -> JsonObject:
    """A record by the names of the service: `A2`, `Name` and `name` are the same."""
    return {_SHORT.get(key) or key[:1].lower() + key[1:]: value for key, value in written.items()}


def _with_parts(schema: JsonObject, elements: Iterable[JsonObject]) -> JsonObject:
    found = dict(schema)
    if isinstance(schema.get("flowElements"), list):
        found["flowElements"] = list(elements)
    if isinstance(schema.get("parameters"), list):
        found["parameters"] = [_with_items(_renamed(record(parameter))) for parameter in items(schema["parameters"])]
    return found


def _with_items(parameter: JsonObject) -> JsonObject:
    """The columns of a collection, where a file has them [?]."""
    columns = parameter.get("itemProperties")
    if not isinstance(columns, list):
        return parameter
    return {**parameter, "itemProperties": [_renamed(record(column)) for column in columns]}


def _version(
    code: str,
    descriptor: JsonObject,
    *,
    schema: JsonObject,
    properties: JsonObject,
    captions: Mapping[str, str],
    starts: tuple[str, ...],
) -> DesignVersion:
    """What the properties say counts: a switch of the active version changes them alone [?]."""
    numbers = (_number(properties.get("Version")), _number(schema.get("version")))
    active = (_flag(properties.get("IsActiveVersion")), _flag(schema.get("isActiveVersion")))
    return DesignVersion(
        code=code,
        uid=guid(descriptor.get("UId")) or guid(schema.get("uId")),
        parent=guid(schema.get("parentSchemaUId")),
        caption=captions.get("Caption") or text(descriptor, "Caption") or "",
        number=next((number for number in numbers if number is not None), None),
        active=next((flag for flag in active if flag is not None), None),
        enabled=_flag(properties.get("Enabled")),
        traced=_flag(properties.get("IsTracing")),
        has_start=design.PLAIN_START in starts if isinstance(schema.get("flowElements"), list) else None,
    )


def _flag(written: Json) -> bool | None:
    """`"True"` and `"False"` are texts in properties [C]."""
    if isinstance(written, str):
        return {"true": True, "false": False}.get(written.strip().lower())
    return written if isinstance(written, bool) else None


def _number(written: Json) -> int | None:
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < len("1000000000"):
        return int(written)
    return written if isinstance(written, int) and not isinstance(written, bool) else None


def _moment(written: Json) -> int:
    r"""Milliseconds of `\/Date(1690000000000)\/`."""
    digits = "".join(filter(str.isdecimal, written)) if isinstance(written, str) else ""
    return int(digits[:15] or 0)


def _stuck(written: Iterable[JsonObject]) -> list[str]:
    """Elements that only flows with conditions leave: where no condition holds, the instance stays there for ever."""
    leaving: dict[str, list[JsonObject]] = {}
    for flow in filter(design.is_flow, written):
        source = guid(flow.get("sourceRefUId"))
        if source is not None:
            leaving.setdefault(source, []).append(flow)
    return [uid for uid, flows in leaving.items() if all(map(_has_condition, flows))]


def _has_condition(flow: JsonObject) -> bool:
    kind = flow.get("flowType")
    is_conditional = design.kind_of_element(flow.get("typeName")).startswith("Conditional")
    return kind == _CONDITIONAL or (is_conditional and kind != _DEFAULT)
