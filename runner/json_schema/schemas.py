"""JSON values against JSON Schemas of draft 2020-12: those that ship with the program, and those that a job holds.

Whether a value fits is said by `jsonschema_rs`, a whole document at once. Why it does not is said by
`runner.json_schema.errors`, which is imported when there is something to say. Nothing is ever fetched, patterns are of
linear time, and no nesting ends in a crash. Formats (`format`) are checked in the schemas of a job: see `formats`.
"""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as FilePath
from typing import NoReturn

import jsonschema_rs

from runner.foundation.values import Json, well_formed
from runner.json_schema import advice, contradictions, formats
from runner.json_schema import flaws as schema_flaws
from runner.json_schema.doubts import Doubt
from runner.json_schema.doubts import doubts as schema_doubts
from runner.json_schema.violations import Violation

__all__ = ["Doubt", "Schema", "Violation", "doubts", "flaws", "from_job", "shipped", "shipped_text"]

DEEPEST = 128
"""Lists and records within each other. `jsonschema_rs` ends the process where a recursive schema meets ten thousand."""

_PACKAGE = FilePath(__file__).parents[1]
_FOLDERS = (_PACKAGE / "schema", _PACKAGE.parent / "schema")
"""Inside the wheel, and beside the package in a checkout."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema without flaws. `text` is its JSON."""

    text: str
    _validator: jsonschema_rs.Draft202012Validator

    def is_valid(self, value: Json) -> bool:
        return not _is_too_deep(value) and self._accepts(value)

    def violations(self, value: Json) -> tuple[Violation, ...]:
        """All violations, or the first hundred of very many; none where `value` fits."""
        if _is_too_deep(value):
            message = f"lists and records stand more than {DEEPEST} deep within each other"
            return (Violation(path=(), keyword="depth", message=message, value=value),)
        return () if self._accepts(value) else _explained(self, value) or self._one(value)

    def _accepts(self, value: Json) -> bool:
        try:
            return self._validator.is_valid(value)
        except UnicodeEncodeError:  # a lone surrogate, which JSON may hold and UTF-8 may not
            return self._validator.is_valid(_mended(value))

    def _one(self, value: Json) -> tuple[Violation, ...]:
        """What `jsonschema_rs` itself has to say, where nobody can explain it better."""
        error = next(self._validator.iter_errors(_mended(value)), None)
        path = tuple(error.instance_path) if error and _leads_somewhere(error.instance_path, value) else ()
        message = error.message if error else "it does not fit its schema"
        return (Violation(path=path, keyword="schema", message=message, value=value),)


def shipped_text(name: str) -> str:
    """The text of `job`, `targets`, `process`, `report` or `event`."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return (folder / f"{name}.schema.json").read_text(encoding="utf-8")


@lru_cache
def shipped(name: str) -> Schema:
    return _schema(shipped_text(name))


def from_job(schema: Json) -> Schema:
    """A schema that stands in a job, a record or a boolean; `secret` and keywords like it count for nothing.

    Raises `ValueError` where `flaws` has something to say.
    """
    try:
        return _schema(json.dumps(schema, allow_nan=False))
    except jsonschema_rs.ValidationError as error:
        raise ValueError(error.message) from None
    except ValueError:
        raise ValueError("it holds a text or a number that JSON cannot write") from None


def flaws(schema: Json) -> tuple[Violation, ...]:
    """What makes `schema` none of draft 2020-12, or none that is used here; paths lead into `schema`.

    `secret` at its root is ours, keys that begin with `x-` are free. One that nothing fits is flawed as well. Each flaw
    has a hint where it is known what was meant; the `path` of an unknown keyword leads to what stands behind it.
    """
    if not isinstance(schema, bool | dict):
        message = "a JSON Schema is a record, or true or false"
        return (Violation(path=(), keyword="type", message=message, value=schema),)
    if _is_too_deep(schema):
        message = f"lists and records stand more than {DEEPEST} deep within each other"
        return (Violation(path=(), keyword="depth", message=message, value=schema),)
    found = (*schema_flaws.flaws(schema), *contradictions.contradictions(schema))
    told = {flaw.path for flaw in found}
    more = tuple(flaw for flaw in _refusal(schema) if not any(path[: len(flaw.path)] == flaw.path for path in told))
    return tuple(advice.advised(flaw, schema) for flaw in found + more)


def doubts(schema: Json) -> tuple[Doubt, ...]:
    """What `schema` most likely does not mean, though it may be written; `flaws` are told by themselves."""
    return () if _is_too_deep(schema) else tuple(schema_doubts(schema))


def _refusal(schema: Json) -> tuple[Violation, ...]:
    """Why no validator can be made of `schema`: almost always its meta-schema."""
    try:
        from_job(schema)
    except ValueError as error:
        return _of_the_meta_schema(schema) or (Violation(path=(), keyword="schema", message=str(error), value=schema),)
    return ()


@lru_cache(maxsize=256)
def _schema(text: str) -> Schema:
    """Of one text there is one schema: a thousand steps may expect the same."""
    validator = jsonschema_rs.Draft202012Validator(
        text,
        pattern_options=jsonschema_rs.RegexOptions(),
        retriever=_never,
        validate_formats=True,
        formats=formats.OWN,
    )
    return Schema(text, validator)


def _never(uri: str) -> NoReturn:
    raise ValueError(f"`{uri}` is not in this document, and nothing is fetched")


def _explained(schema: Schema, value: Json) -> tuple[Violation, ...]:
    explain: Callable[[str, Json], tuple[Violation, ...]] = _errors("explain")
    return explain(schema.text, value)


def _of_the_meta_schema(schema: Json) -> tuple[Violation, ...]:
    explain: Callable[[Json], tuple[Violation, ...]] = _errors("explain_schema")
    return explain(schema)


def _errors(name: str) -> Callable[..., tuple[Violation, ...]]:
    """A function of `runner.json_schema.errors`, which is imported here and nowhere else.

    It brings `jsonschema` along, 45 ms that a run without mistakes would pay for nothing.
    """
    function: Callable[..., tuple[Violation, ...]] = getattr(importlib.import_module("runner.json_schema.errors"), name)
    return function


def _is_too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        below: list[Json] = []
        for item in level:
            if item.__class__ is dict:
                below.extend(item.values())
            elif item.__class__ is list:
                below.extend(item)
        if not below:
            return False
        level = below
    return True


def _mended(value: Json) -> Json:
    """`value` with every text fit for UTF-8."""
    match value:
        case str():
            return well_formed(value)
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {well_formed(key): _mended(item) for key, item in value.items()}
        case _:
            return value


def _leads_somewhere(path: list[str | int], value: Json) -> bool:
    for part in path:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case list(), int() if part < len(value):
                value = value[part]
            case _:
                return False
    return True
