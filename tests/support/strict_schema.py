"""The shipped schemas of what programs read, without room for what they do not describe."""

import json
from functools import cache

from jsonschema import Draft202012Validator

from runner.foundation.values import Json, JsonObject
from runner.json_schema.schemas import shipped_text


@cache
def strict(name: str) -> Draft202012Validator:
    """The schema `name`, in which every record has the keys that it describes and no other."""
    return Draft202012Validator(_closed(json.loads(shipped_text(name))))


def flaws(name: str, value: Json) -> list[str]:
    """What of `value` the schema does not allow or does not describe, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in strict(name).iter_errors(value)]


def _closed(schema: JsonObject) -> JsonObject:
    closed = {key: _each(value) for key, value in schema.items()}
    if "properties" in closed and "additionalProperties" not in closed:
        closed["additionalProperties"] = False
    return closed


def _each(value: Json) -> Json:
    match value:
        case dict():
            # the names under `properties` and `$defs` are no keywords
            is_schema = not all(isinstance(inner, dict) for inner in value.values())
            return _closed(value) if is_schema else {key: _each(inner) for key, inner in value.items()}
        case list():
            return [_each(item) for item in value]
        case _:
            return value
