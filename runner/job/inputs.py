"""The values a job runs with: what `-i`, `--inputs` and the environment give, else defaults; checked and typed.

Nothing here shows the value of a secret input, in no message. Cases stand between environment and default; they are
not read here.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from runner.documents.document import Document
from runner.job.model import Input, Job
from runner.json_schema import schemas
from runner.problems import Problem
from runner.values import LARGEST_INTEGER, Json, Path, kind_of
from runner.words import suggest

VARIABLE = "CREATIO_RUNNER_INPUT_"
_SHOWN = 40


class Origin(StrEnum):
    """Where a value came from, in the words of a message."""

    COMMAND_LINE = "on the command line"
    FILE = "in the file behind `@`"
    STDIN = "on standard input"
    INPUTS_FILE = "in the `--inputs` file"
    ENVIRONMENT = "in the environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value that somebody gave.

    `is_text`: it is still to be read by the input's type. `document` is the `--inputs` file that it stands in.
    """

    value: Json
    origin: Origin
    is_text: bool = True
    document: Document | None = None


class _RefusedError(Exception):
    """A value that cannot be used; caught in this module."""

    def __init__(self, code: str, message: str, *, hint: str | None = None, path: Path = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.path = path


def parse_option(
    option: str, *, read_file: Callable[[str], str], stdin: Callable[[], str]
) -> tuple[str, Given] | Problem:
    """One `-i NAME=VALUE`. `=@FILE` takes the content of a file, `=@-` of standard input, without its last line end.

    `read_file` and `stdin` raise `OSError` or `UnicodeDecodeError` where they cannot.
    """
    name, separator, value = option.partition("=")
    if not separator or not name:
        hint = "write `-i NAME=VALUE`, or `-i NAME=@FILE` for the content of a file"
        return Problem(code="E150", message=f"`-i {_short(name)}` gives no value", hint=hint)
    if not value.startswith("@"):
        return name, Given(value=value, origin=Origin.COMMAND_LINE)
    source = value[1:]
    try:
        content = stdin() if source == "-" else read_file(source)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        hint = f"a value that begins with `@` names a file; the value itself can come from `{VARIABLE}{name.upper()}`"
        return Problem(code="E100", message=f"input `{name}`: `{source}` cannot be read: {reason}", hint=hint)
    return name, Given(value=_without_line_end(content), origin=Origin.STDIN if source == "-" else Origin.FILE)


def from_file(document: Document) -> dict[str, Given] | Problem:
    """What an `--inputs` file gives: a record of values by name, taken as they are."""
    if not isinstance(document.data, dict):
        message = f"this file gives inputs by name, but it holds {kind_of(document.data)}"
        return document.problem("E106", message, path=(), hint="write `NAME: VALUE`, one a line")
    return {
        name: Given(value=value, origin=Origin.INPUTS_FILE, is_text=False, document=document)
        for name, value in document.data.items()
    }


def unknown(given: Mapping[str, Given], jobs: Iterable[Job]) -> tuple[Problem, ...]:
    """What was given but no selected job knows."""
    known = {declared.name for job in jobs for declared in job.inputs}
    return tuple(_unknown(name, one, known) for name, one in given.items() if name not in known)


def supplied(
    job: Job, *, given: Mapping[str, Given], environment: Mapping[str, str]
) -> tuple[dict[str, Json], tuple[Problem, ...]]:
    """The values of the job's inputs, and what is wrong with them. `given` is `-i` over `--inputs`."""
    values: dict[str, Json] = {}
    problems: list[Problem] = []
    for declared in job.inputs:
        one = given.get(declared.name) or _from_environment(declared.name, environment)
        try:
            values[declared.name] = _default(declared) if one is None else _checked(declared, one)
        except _RefusedError as refused:
            problems.append(_problem(job, declared, one, refused))
    return values, tuple(problems)


def _from_environment(name: str, environment: Mapping[str, str]) -> Given | None:
    value = environment.get(VARIABLE + name.upper())
    return None if value is None else Given(value=value, origin=Origin.ENVIRONMENT)


def _default(declared: Input) -> Json:
    if declared.required:
        raise _RefusedError("E130", f"input `{declared.name}` is required", hint=_how_to_give(declared))
    _refuse_empty(declared, declared.default)
    return declared.default


def _checked(declared: Input, one: Given) -> Json:
    if declared.secret and one.origin is Origin.COMMAND_LINE:
        message = f"input `{declared.name}` is secret: other people can read a command line"
        raise _RefusedError("E133", message, hint=_how_to_give(declared))
    value = _typed(declared, one)
    _refuse_empty(declared, value)
    violation = next(iter(schemas.from_job(declared.schema).violations(value)), None)
    if violation is not None:
        why = f"it does not fit `{violation.keyword}`" if declared.secret else violation.message
        raise _RefusedError("E132", f"input `{declared.name}`: {why}", hint=_came(declared, one), path=violation.path)
    return value


def _typed(declared: Input, one: Given) -> Json:
    """A text is taken as it is for an input of type `string`, and read as JSON for any other."""
    if not one.is_text or not isinstance(one.value, str) or declared.schema.get("type") == "string":
        return one.value
    try:
        return _json(one.value)
    except (ValueError, RecursionError):
        shown = "its value" if declared.secret else f"`{_short(one.value)}`"
        message = f"input `{declared.name}`: {shown} is not JSON, and the input's type is not `string`"
        raise _RefusedError("E132", message, hint=_json_hint(declared, one)) from None


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


def _refuse_empty(declared: Input, value: Json) -> None:
    if declared.secret and value == "":
        raise _RefusedError("E134", f"input `{declared.name}` is secret, and empty", hint=_how_to_give(declared))


def _problem(job: Job, declared: Input, one: Given | None, refused: _RefusedError) -> Problem:
    if one is not None and one.document is not None:
        path = (declared.name, *refused.path)
        return one.document.problem(refused.code, refused.message, path=path)
    message = f"job `{job.name}`: {refused.message}" if refused.code == "E130" else refused.message
    return Problem(code=refused.code, message=message, hint=refused.hint)


def _unknown(name: str, one: Given, known: set[str]) -> Problem:
    near = suggest(name, known)
    listed = ", ".join(f"`{word}`" for word in sorted(known))
    hint = f"did you mean `{near}`?" if near else f"the inputs are {listed}" if known else "no selected job has inputs"
    message = f"no selected job knows an input `{_short(name)}`"
    if one.document is not None:
        return one.document.problem("E131", message, path=(name,), at_key=True, hint=hint)
    return Problem(code="E131", message=message, hint=hint)


def _how_to_give(declared: Input) -> str:
    variable = VARIABLE + declared.name.upper()
    if declared.secret:
        return f"give it with `-i {declared.name}=@FILE`, `-i {declared.name}=@-`, `{variable}` or `--inputs`"
    return f"give it with `-i {declared.name}=VALUE`, `{variable}` or `--inputs`"


def _came(declared: Input, one: Given) -> str:
    where = f" as `{VARIABLE}{declared.name.upper()}`" if one.origin is Origin.ENVIRONMENT else ""
    return f"it was given {one.origin}{where}"


def _json_hint(declared: Input, one: Given) -> str:
    match declared.schema.get("type"):
        case "boolean":
            return "write `true` or `false`"
        case None if not declared.secret:
            return "declare `type: string` in the job, or give JSON: a text in double quotes"
        case _:
            return _came(declared, one)


def _without_line_end(content: str) -> str:
    return content.removesuffix("\n").removesuffix("\r")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
