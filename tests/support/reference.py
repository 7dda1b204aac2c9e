"""The generated parts of `schema/README.md` and `runner/README.md`: tables drawn from what they describe.

A part lies between `<!-- generated: NAME -->` and `<!-- end -->`. What is around it is written by hand.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import click
from breakages import table as breakages_table
from module_index import module_index

from runner.cli.main import VERBS, Verbs
from runner.explanations.read import titles
from runner.foundation.values import Json, JsonObject, items, record
from runner.reports import formats

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "schema" / "README.md"
_PART = re.compile(r"(<!-- generated: (?P<name>[^>]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def generated(page: str) -> str:
    """`page` with each of its generated parts drawn anew. Raises `KeyError` where a part has no generator."""
    names = parts(page)
    return _PART.sub(lambda part: f"{part[1]}{_draw(part['name'], names).strip()}\n{part[3]}", page)


def parts(page: str) -> tuple[str, ...]:
    return tuple(part["name"] for part in _PART.finditer(page))


def keys_of(file: str) -> frozenset[str]:
    """The names of all keys that a file of this kind may have, at any depth."""
    return frozenset(_keys_in(_schema(file)))


def _keys_in(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (keys := record(value.get("properties")))
        yield from _keys_in([*keys.values()])
        for name, part in value.items():
            if name not in ("properties", "default", "examples"):
                yield from _keys_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _keys_in(part)


def _draw(name: str, names: Sequence[str]) -> str:
    """`names` are those of all parts: a record that has none of its own is in the table of the record that holds it."""
    file, _, definition = name.partition(" ")
    return _PARTS[file]() if file in _PARTS else "\n".join(_keys(file, definition, names))


def _keys(file: str, definition: str, names: Sequence[str]) -> Iterator[str]:
    """What a record of a schema is for, and a table of its keys."""
    schema = _schema(file)
    described = _described(schema, definition)
    keys = [key for key in record(described.get("properties")) if definition != "step" or key not in ACTIONS]
    if definition:
        yield f"{described['description']}\n"
    if keys:
        yield "| key | type | default | what it says |"
        yield "|---|---|---|---|"
        own_parts = {f"#/$defs/{name.removeprefix(f'{file} ')}" for name in names}
        for key in keys:
            yield from _rows(schema, described, key, own_parts=own_parts)
    for example in items(described.get("examples"))[:1]:
        yield f"\nExample: `{json.dumps(example, ensure_ascii=False)}`"


def _schema(file: str) -> JsonObject:
    return record(json.loads((ROOT / "schema" / f"{file}.schema.json").read_text(encoding="utf-8")))


ACTIONS = tuple(record(record(record(_schema("job")["$defs"])["undo"])["properties"]))
"""The keys of a step that are actions, which have parts of their own."""


def _described(schema: JsonObject, definition: str) -> JsonObject:
    """One of the schema's definitions, or of its own keys; the schema itself where none is named."""
    if not definition:
        return schema
    return record(record(schema["$defs"]).get(definition)) or record(record(schema["properties"])[definition])


def _rows(
    schema: JsonObject, described: JsonObject, key: str, *, own_parts: AbstractSet[str], within: str = ""
) -> Iterator[str]:
    """The row of a key, and those of the keys within it."""
    written = record(record(described["properties"])[key])
    value = _resolved(schema, written)
    is_required = key in items(described.get("required"))
    default = "required" if is_required else _code(value["default"]) if "default" in value else ""
    yield f"| `{within}{key}` | {_type(value)} | {default} | {_cell(str(value.get('description', '')))} |"
    has_part = own_parts & {written.get("$ref"), f"#/$defs/{key}"}
    if not has_part and within.count(".") < _DEEPEST:
        for inner in (inner for inner in record(value.get("properties")) if inner not in ACTIONS):
            yield from _rows(schema, value, inner, own_parts=own_parts, within=f"{within}{key}.")


_DEEPEST = 3
"""Keys within keys, at most: a schema may hold itself."""


def _resolved(schema: JsonObject, value: JsonObject) -> JsonObject:
    """`value` over what its `$ref` points at."""
    if "$ref" not in value:
        return value
    definition = str(value["$ref"]).removeprefix("#/$defs/")
    return {**_resolved(schema, record(record(schema["$defs"])[definition])), **value}


def _type(value: Mapping[str, Json]) -> str:
    if value.get("title") == "duration":
        return "duration"
    if isinstance(choices := value.get("enum"), list):
        return _cell(" or ".join(_code(choice) for choice in choices))
    if "const" in value:
        return _code(value["const"])
    types = value.get("type", "any")
    names = types if isinstance(types, list) else [types]
    return " or ".join(_NAMES.get(str(name), str(name)) for name in names)


_NAMES = {"string": "text", "object": "record", "array": "list", "integer": "whole number", "boolean": "true or false"}


def _code(value: Json) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _commands() -> str:
    return "\n".join(line for name in VERBS for line in _command(name, _verb(name)))


def _verb(name: str) -> click.Command:
    command = Verbs().get_command(click.Context(Verbs()), name)
    assert command is not None
    return command


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"runner {name}")
    usage = " ".join([f"runner {name}", *command.collect_usage_pieces(context)])
    yield f"\n### `{usage}`\n"
    yield f"{_sentences(_AFTER_THE_HELP.split(command.help or '')[0])}\n"
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            below = command.get_command(context, part)
            assert below is not None
            yield from (line.replace("### ", "#### ", 1) for line in _command(f"{name} {part}", below))
        return
    shown = [helped for parameter in command.params if (helped := parameter.get_help_record(context))]
    if shown:
        yield "| option | what it does |"
        yield "|---|---|"
        yield from (f"| `{_cell(option)}` | {_cell(_sentences(text))} |" for option, text in shown)


_AFTER_THE_HELP = re.compile(r"\n\s*(?=\b(?:Examples?|Exit codes):)")


def _sentences(text: str) -> str:
    return " ".join(text.replace("\b", "").split())


def _codes() -> str:
    return "\n".join(
        ["| code | what is wrong |", "|---|---|", *(f"| {code} | {_cell(title)} |" for code, title in titles().items())]
    )


_PARTS: Mapping[str, Callable[[], str]] = {
    "commands": _commands,
    "codes": _codes,
    "reports": formats.docs_table,
    "breakages": breakages_table,
    "modules": module_index,
}
