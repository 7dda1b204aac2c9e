"""The schema of job files for a site: an editor completes its processes and their parameters.

What a catalogue does not know is left open. A value may always be a text, as it may be a template.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from runner.catalogue.kinds import KINDS
from runner.catalogue.model import TAKEN, Catalogue, Kind, Parameter, Process
from runner.foundation.values import Json, JsonObject, record

_ACTIONS: Final = ("execute", "run")


def specialised(schema: JsonObject, catalogue: Catalogue) -> JsonObject:
    """The schema of job files, for a site that has these processes: those that can be started."""
    every = [catalogue.processes[code] for code in sorted(catalogue.processes)]
    processes = [process for process in every if process.why_not is None]
    definitions = {**record(schema.get("$defs"))}
    definitions["process"] = _codes(record(definitions["process"]), processes)
    for action in _ACTIONS:
        definitions[action] = _action(record(definitions[action]), processes)
    definitions |= {_called(each): _parameters(each.parameters) for each in processes if each.parameters is not None}
    return {**schema, "$defs": definitions}


def _codes(written: JsonObject, processes: Sequence[Process]) -> JsonObject:
    """The codes, each with its caption where an editor shows it."""
    codes: list[Json] = [process.code for process in processes]
    captions: list[Json] = [each.caption or each.code for each in processes]
    kept = {key: value for key, value in written.items() if key != "examples"}
    return {**kept, "enum": codes, "enumDescriptions": captions} if codes else written


def _action(written: JsonObject, processes: Iterable[Process]) -> JsonObject:
    known = [process for process in processes if process.parameters is not None]
    branches: list[Json] = [_branch(each, record(written.get("properties"))) for each in known]
    return {**written, "allOf": branches} if branches else written


def _branch(process: Process, properties: JsonObject) -> JsonObject:
    """What holds where this process is named."""
    gives: list[Json] = [*sorted(process.gives)]
    then: JsonObject = {"parameters": {"$ref": f"#/$defs/{_called(process)}"}}
    if "result" in properties:
        then["result"] = {"enum": gives} if gives else _nothing(process)
    if "results" in properties:
        then["results"] = {"items": {"enum": gives} if gives else _nothing(process)}
    named: JsonObject = {"required": ["process"], "properties": {"process": {"const": process.code}}}
    if "version" in properties:  # another version may take and give other values
        named["not"] = {"required": ["version"]}
    return {"if": named, "then": {"properties": then}}


def _nothing(process: Process) -> JsonObject:
    return {"not": {}, "errorMessage": f"{process.code} gives no results"}


def _called(process: Process) -> str:
    """The name of a definition, fit for a reference with any code."""
    code = "".join(each if each.isascii() and each.isalnum() else f"_{ord(each):x}_" for each in process.code)
    return f"parameters_of_{code}"


def _parameters(known: Mapping[str, Parameter]) -> JsonObject:
    taken = {code: given for code, given in known.items() if given.direction in TAKEN}
    return {
        "description": "Values by parameter code. Case counts.",
        "type": "object",
        "additionalProperties": False,
        "properties": {code: _parameter(taken[code]) for code in sorted(taken)},
    }


def _parameter(parameter: Parameter) -> JsonObject:
    called = f"{parameter.caption}: " if parameter.caption else ""
    schema: JsonObject = {"description": f"{called}{parameter.kind}, {parameter.direction}", **_type(parameter.kind)}
    if parameter.kind is Kind.RECORDS and parameter.items:
        columns: JsonObject = {
            name: {"description": str(kind), **_type(kind)} for name, kind in parameter.items.items()
        }
        schema["items"] = {"type": ["object", "string"], "additionalProperties": False, "properties": columns}
    return schema


def _type(kind: Kind) -> JsonObject:
    facts = KINDS[kind]
    return {} if facts.takes is None else {"type": [*facts.schema, "string", "null"]}
