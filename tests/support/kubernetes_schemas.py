"""What two versions of Kubernetes take of the kinds that `specs/deploy` has.

`tests/deploy/kubernetes/*.json` are cut out of the schemas that the package kubernetes-validate ships (Apache-2.0), in
17,000 files: `pytest --long --update tests/deploy` does that anew.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deployed import manifests
from jsonschema import Draft202012Validator

VERSIONS = ("1.31", "1.37")
FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
_OTHERS = ("argoproj.io", "fluxcd.io")
_DEFINITIONS = "/api/_definitions.json"


def of_kubernetes() -> list[dict[str, Any]]:
    """The objects of `specs/deploy` that Kubernetes itself defines."""
    return [each for each in manifests() if not any(name in each["apiVersion"] for name in _OTHERS)]


def mistakes(document: dict[str, Any], version: str) -> list[str]:
    """What Kubernetes would not take of it, which knows no other keys than its own."""
    schema = _read(version)
    kind = {**schema["kinds"][f"{document['apiVersion']} {document['kind']}"], "$defs": schema["$defs"]}
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(kind).iter_errors(document)]


@cache
def _read(version: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / f"{version}.json").read_text())
    return read


def cut_out(version: str) -> str:
    """The text of such a file, without descriptions; a line holds a definition."""
    package = find_spec("kubernetes_validate")
    assert package is not None, "kubernetes-validate is missing: `pip install -e '.[long]'` installs it"
    folder = Path(str(package.origin)).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    all_of_them = json.loads((folder / "_definitions.json").read_text())["$defs"]
    kinds, found = {}, dict[str, Any]()
    for api, kind in sorted({(each["apiVersion"], each["kind"]) for each in of_kubernetes()}):
        group, _, number = api.rpartition("/")
        name = "-".join(part for part in (kind.lower(), group.partition(".")[0], number) if part)
        kinds[f"{api} {kind}"] = _plain(json.loads((folder / f"{name}.json").read_text()), all_of_them, found)
    return f'{{\n"kinds": {_lines(kinds)},\n"$defs": {_lines(found)}\n}}\n'


def _plain(schema: Any, definitions: dict[str, Any], found: dict[str, Any]) -> Any:  # noqa: ANN401  any JSON
    """The schema without what only people read; to what it refers is found, too."""
    if isinstance(schema, list):
        return [_plain(each, definitions, found) for each in schema]
    if not isinstance(schema, dict):
        return schema
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    if reference and reference not in found:
        found[reference] = None
        found[reference] = _plain(definitions[reference], definitions, found)
    return {
        key: value.removeprefix(_DEFINITIONS) if key == "$ref" else _plain(value, definitions, found)
        for key, value in schema.items()
        if not (key in {"description", "$id", "$schema"} and isinstance(value, str)) and not key.startswith("x-")
    }


def _lines(schemas: dict[str, Any]) -> str:
    lines = (f"{json.dumps(name)}: {json.dumps(schema)}" for name, schema in sorted(schemas.items()))
    return "{\n" + ",\n".join(lines) + "\n}"
