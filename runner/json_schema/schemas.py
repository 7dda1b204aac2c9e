"""JSON values against shipped schemas, and those of jobs, of draft 2020-12, by `jsonschema_rs`.

Nothing is fetched, patterns are of linear time, and no nesting crashes.
"""

import json
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import jsonschema_rs
from msgspec import Struct

from runner.foundation.values import SURE_DIGITS, Json, is_long_amount, utf_8
from runner.json_schema import formats

if TYPE_CHECKING:
    from runner.json_schema.violations import Violation

DEEPEST = 128
"""Lists and records within each other. `jsonschema_rs` ends the process where a recursive schema meets ten thousand."""
TOO_DEEP = f"lists and records nest more than {DEEPEST} deep"

_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "schema", _PACKAGE.parent / "schema")  # inside the wheel, and beside the package in a checkout


class Schema(Struct, frozen=True, dict=True):
    """A schema without flaws. `text` is its JSON."""

    text: str
    _validator: jsonschema_rs.Draft202012Validator

    @cached_property
    def _parsed(self) -> Json:
        parsed: Json = json.loads(self.text)
        return parsed

    def violations(self, value: Json) -> "tuple[Violation, ...]":
        """All violations, or the first hundred of very many; none where `value` fits."""
        if is_too_deep(value):
            from runner.json_schema.violations import Violation  # noqa: PLC0415  1 ms, for what does not fit

            return (Violation(path=(), keyword="depth", message=TOO_DEEP, value=value),)
        try:
            return self._violations(value, value) or self._out_of_bounds(value)
        except UnicodeEncodeError:  # a lone surrogate, which JSON may hold and UTF-8 may not
            return self._violations(utf_8(value), value)

    def _violations(self, encodable: Json, value: Json) -> "tuple[Violation, ...]":
        if self._validator.is_valid(encodable):
            return ()
        from runner.json_schema.violations import violations  # noqa: PLC0415  as above

        return violations(self._validator.iter_errors(encodable), value, self._parsed)

    def _out_of_bounds(self, value: Json) -> "tuple[Violation, ...]":
        """Violations of bounds by amounts with many digits, which are texts here."""
        if not (any(f'"{keyword}"' in self.text for keyword in _BOUNDS) and _has_long_amount(value)):
            return ()
        from runner.json_schema.violations import violations  # noqa: PLC0415  as above

        found = violations(self._validator.iter_errors(_exact(value)), value, self._parsed)
        return tuple(each for each in found if each.keyword in _BOUNDS)


def _has_long_amount(value: Json) -> bool:
    left = [value]
    for item in left:
        if item.__class__ is dict:
            left.extend(item.values())
        elif item.__class__ is list:
            left.extend(item)
        elif item.__class__ is str and len(item) > SURE_DIGITS and is_long_amount(item):
            return True
    return False


def _exact(value: Json) -> Any:  # noqa: ANN401  JSON, but for its amounts
    """The value with its amounts as numbers that keep all their digits."""
    match value:
        case str():
            return Decimal(value) if is_long_amount(value) else value
        case list():
            return [_exact(item) for item in value]
        case dict():
            return {key: _exact(part) for key, part in value.items()}
        case _:
            return value


def shipped_text(name: str) -> str:
    """The text of `job`, `targets`, `process`, `report` or `event`."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return (folder / f"{name}.schema.json").read_text(encoding="utf-8")


@lru_cache
def shipped(name: str) -> Schema:
    return _schema(shipped_text(name))


def from_job(schema: Json) -> Schema:
    """A schema of a job, without `secret` and the like. Raises `ValueError` for what `flaws.flaws` finds."""
    try:
        return _schema(json.dumps(schema, allow_nan=False))
    except jsonschema_rs.ValidationError as error:
        raise ValueError(error.message) from None
    except ValueError:
        raise ValueError("it holds a text or a number that JSON cannot write") from None


@lru_cache(maxsize=256)
def _schema(text: str) -> Schema:
    """Made once of the same text: a thousand steps may expect the same."""
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


def is_too_deep(value: Json) -> bool:
    """Whether `value` has more than `DEEPEST` levels, asked without recursion."""
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
