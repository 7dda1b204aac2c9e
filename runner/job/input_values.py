"""One value held against the input that it is for: read by the input's type, and checked. Shows no secret."""

import json
from collections.abc import Callable, Iterable

from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import LARGEST_INTEGER, Json, Path
from runner.job.model import Input
from runner.json_schema import schemas
from runner.json_schema.as_type import as_wanted, with_point
from runner.json_schema.violations import Violation

VARIABLE = "CREATIO_RUNNER_INPUT_"

_SHOWN = 40
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list, written as JSON",
    "object": "a record, written as JSON",
}


class UnfitError(Exception):
    """A value that cannot be used. `path` leads to the part of it that is wrong."""

    def __init__(self, code: str, message: str, *, hint: str | None = None, path: Path = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.path = path


def fit(declared: Input, value: Json, *, is_text: bool = False, written: Callable[[Path], str] | None = None) -> Json:
    """`value` as the input takes it. Raises `UnfitError`; its message names the input.

    `is_text`: a text is still to be read by the input's type. It is taken as it is by one of type `string`, and read
    as JSON by any other. A schema that is none lets everything pass: it is told where it stands. `written` gives the
    part of the value at a path as it stands in its file.
    """
    found = _typed(declared, value) if is_text and isinstance(value, str) else value
    refuse_empty(declared, found)
    violation = _violation(declared, found)
    if violation is not None:
        why = f"it does not fit `{violation.keyword}`" if declared.secret else violation.message
        source = None if written is None else written(violation.path)
        hint = None if declared.secret else as_wanted(violation, written=source)
        raise UnfitError("E132", f"input `{declared.name}`: {why}", hint=hint, path=violation.path)
    return found


def refuse_empty(declared: Input, value: Json) -> None:
    """Raises `UnfitError` for a secret that is none."""
    if declared.secret and value == "":
        raise UnfitError("E134", f"input `{declared.name}` is secret, and empty")


def unknown_input(name: str, declared: Iterable[str], *, whose: str = "the job") -> tuple[str, str]:
    """Message and hint for a value that no input is there for."""
    known = sorted(declared)
    listed = ", ".join(f"`{word}`" for word in known)
    hint = did_you_mean(name, known) or (f"its inputs are {listed}" if known else "it has no inputs")
    return f"{whose} has no input `{short(name)}`", hint


def short(text: str) -> str:
    """A text in a sentence."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _violation(declared: Input, value: Json) -> Violation | None:
    try:
        schema = schemas.from_job(declared.schema)
    except ValueError:
        return None
    return next(iter(schema.violations(value)), None)


def _typed(declared: Input, text: str) -> Json:
    if declared.schema.get("type") == "string":
        return text
    try:
        return _json(text)
    except (ValueError, RecursionError):
        shown = "its value" if declared.secret else f"`{short(text)}`"
        kind = _KINDS.get(str(declared.schema.get("type")), "JSON, and the input's type is not `string`")
        message = f"input `{declared.name}`: {shown} is not {kind}"
        raise UnfitError("E132", message, hint=_json_hint(declared, text)) from None


def _json(text: str) -> Json:
    """Raises `ValueError` for what is no JSON, and for numbers that JSON readers do not agree on."""
    value: Json = json.loads(text, parse_constant=_refuse_number, parse_int=_integer, parse_float=_float)
    return value


def _integer(written: str) -> int:
    value = int(written)
    return value if abs(value) <= LARGEST_INTEGER else _refuse_number(written)


def _float(written: str) -> float:
    value = float(written)
    return value if abs(value) < float("inf") else _refuse_number(written)


def _refuse_number(written: str) -> int:
    raise ValueError(written)


def _json_hint(declared: Input, text: str) -> str | None:
    match declared.schema.get("type"):
        case "number" if not declared.secret and (point := with_point(text)):
            return f"write `{point}`"
        case "boolean":
            return "write `true` or `false`"
        case None if not declared.secret:
            return "declare `type: string` in the job, or give JSON: a text in double quotes"
        case _:
            return None


def how_to_give(declared: Input) -> str:
    """A piece of a hint: how a run is given this input."""
    variable = VARIABLE + declared.name.upper()
    if declared.secret:
        return f"give it with `-i {declared.name}=@FILE`, `-i {declared.name}=@-`, `{variable}` or `--inputs`"
    return f"give it with `-i {declared.name}=VALUE`, `{variable}` or `--inputs`"
