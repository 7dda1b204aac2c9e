"""Packages as git holds them, written for tests: processes in short keys or in long ones, with their resources."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct, field

from runner.foundation.values import Json, JsonObject

TEXT = "8B3F29BB-EA14-4CE5-A5C5-293A929B6BA2"
INTEGER = "6B6B74E2-820D-490E-A017-2B73D4CCF2B0"
LOOKUP = "B295071F-7EA9-4E62-8D1A-919BF3732FF2"
RECORDS = "651EC16F-D140-46DB-B9E2-825C985A8AC2"
PREFIX = "Terrasoft.Core.Process.ProcessSchema"
_LONG = {
    "FJ1": "Parameters",
    "BK4": "FlowElements",
    "BK8": "ParentSchemaUId",
    "IJ7": "IsActiveVersion",
    "IJ9": "Version",
    "A2": "Name",
    "BL1": "TypeName",
    "L1": "DataValueType",
    "L9": "ReferenceSchemaUId",
    "L12": "Direction",
    "CI1": "SourceRefUId",
    "CI2": "TargetRefUId",
    "CI4": "FlowType",
}


def uid(name: str) -> str:
    """The same id for the same name."""
    return str(uuid5(NAMESPACE_URL, name))


class RawStep(Struct, kw_only=True):
    """A process to be written. `parameters` are code → type and direction; `elements` name → kind; `flows` source,
    target and `flowType`. `properties` are texts, as the site writes them.
    """

    code: str
    parameters: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    elements: Mapping[str, str] = field(default_factory=lambda: {"StartEvent1": "StartEvent"})
    flows: Sequence[tuple[str, str, int]] = ()
    parent: str | None = None
    captions: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""
    is_long: bool = False
    mark: str = "\ufeff"
    culture: str = "en-US"
    changed: int = 1690000000000
    manager: str = "ProcessSchemaManager"

    def element_id(self, name: str) -> str:
        return uid(f"{self.code}/{name}")

    def write(self, package: Path) -> Path:
        """Write it into a package, and give the folder of its schema."""
        folder = package / "Schemas" / self.code
        folder.mkdir(parents=True, exist_ok=True)
        descriptor: Json = {
            "UId": uid(self.code),
            "Name": self.code,
            "ManagerName": self.manager,
            "Caption": self.caption or self.code,
            "ModifiedOnUtc": f"/Date({self.changed})/",
            "DependsOn": [],
        }
        self._json(folder / "descriptor.json", {"Descriptor": descriptor})
        self._json(folder / "metadata.json", {"MetaData": {"Schema": self._schema()}})
        properties: JsonObject = {**self.properties}
        self._json(folder / "properties.json", {"Properties": properties})
        if self.captions:
            self._resources(package)
        return folder

    def _schema(self) -> JsonObject:
        elements: list[Json] = [
            {"BL1": f"{PREFIX}{kind}", "UId": self.element_id(name), "A2": name} for name, kind in self.elements.items()
        ]
        flows: list[Json] = [
            {
                "BL1": f"{PREFIX}{'ConditionalFlow' if kind else 'SequenceFlow'}",
                "UId": self.element_id(f"{source}{target}{number}"),
                "A2": f"Flow{number}",
                "CI1": self.element_id(source),
                "CI2": self.element_id(target),
                **({"CI4": kind} if kind else {}),
            }
            for number, (source, target, kind) in enumerate(self.flows)
        ]
        parameters: list[Json] = [
            {
                "UId": self.element_id(code),
                "A2": code,
                "L1": kind.lower(),
                **({} if direction is None else {"L12": direction}),
                **({"L9": uid("Contact")} if kind == LOOKUP else {}),
            }
            for code, (kind, direction) in self.parameters.items()
        ]
        parent: JsonObject = {} if self.parent is None else {"BK8": uid(self.parent)}
        schema: JsonObject = {"UId": uid(self.code), "A2": self.code, "FJ1": parameters, "BK4": elements + flows}
        found = self._keys({**schema, **parent})
        assert isinstance(found, dict)
        return found

    def _keys(self, value: Json) -> Json:
        match value:
            case dict() if self.is_long:
                return {_LONG.get(key, key): self._keys(part) for key, part in value.items()}
            case list():
                return [self._keys(part) for part in value]
            case _:
                return value

    def _json(self, file: Path, value: JsonObject) -> None:
        file.write_text(self.mark + json.dumps(value, indent=2), encoding="utf-8")

    def _resources(self, package: Path) -> None:
        folder = package / "Resources" / f"{self.code}.Process"
        folder.mkdir(parents=True, exist_ok=True)
        items = "".join(f'<Item Name="{name}" Value="{text}" />' for name, text in self.captions.items())
        whole = f'<Resources Culture="{self.culture}"><Group Type="String"><Items>{items}</Items></Group></Resources>'
        file = folder / f"resource.{self.culture}.xml"
        file.write_text(f'{self.mark}<?xml version="1.0" encoding="utf-8"?>\n{whole}', encoding="utf-8")
