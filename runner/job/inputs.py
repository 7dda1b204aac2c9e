"""The values a job runs with: what `-i`, `--inputs` and the environment give, else its case, else defaults.

Nothing here shows the value of a secret input, in no message. Cases are read by `runner.job.cases`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from runner.foundation.problems import Problem
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Json, Path, kind_of
from runner.job.input_values import VARIABLE, UnfitError, fit, how_to_give, refuse_empty, short
from runner.job.model import Case, Input, Job
from runner.reading.document import Document

NOTHING_LACKS: Mapping[str, Problem] = {}


class Origin(StrEnum):
    """Where a value came from, in the words of a message."""

    COMMAND_LINE = "on the command line"
    FILE = "in the file behind `@`"
    STDIN = "on standard input"
    INPUTS_FILE = "in the `--inputs` file"
    ENVIRONMENT = "in the environment"
    TERMINAL = "at the terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value that somebody gave.

    `is_text`: it is still to be read by the input's type. `document` is the `--inputs` file that it stands in.
    """

    value: Json
    origin: Origin
    is_text: bool = True
    document: Document | None = None


def parse_option(
    option: str, *, read_file: Callable[[str], str], stdin: Callable[[], str]
) -> tuple[str, Given] | Problem:
    """One `-i NAME=VALUE`. `=@FILE` takes the content of a file, `=@-` of standard input, without its last line end.

    `read_file` and `stdin` raise `OSError` or `UnicodeDecodeError` where they cannot.
    """
    name, separator, value = option.partition("=")
    if not separator or not name:
        hint = "write `-i NAME=VALUE`, or `-i NAME=@FILE` for the content of a file"
        return Problem(code="E150", message=f"`-i {short(name)}` gives no value", hint=hint)
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
    job: Job,
    *,
    given: Mapping[str, Given],
    environment: Mapping[str, str],
    case: Case | None = None,
    lacking: Mapping[str, Problem] = NOTHING_LACKS,
) -> tuple[dict[str, Json], tuple[Problem, ...]]:
    """The values of the job's inputs, and what is wrong with them. `given` is `-i` over `--inputs`.

    `lacking` says what is wrong where nobody gives an input that no case gives either.
    """
    values: dict[str, Json] = {}
    problems: list[Problem] = []
    for declared in job.inputs:
        one = given.get(declared.name) or _from_environment(declared.name, environment)
        try:
            values[declared.name] = _otherwise(declared, case) if one is None else _checked(declared, one)
        except UnfitError as unfit:
            known = lacking.get(declared.name) if one is None else None
            problems.append(known or _problem(job, declared, one, unfit, case=case))
    return values, tuple(problems)


def _from_environment(name: str, environment: Mapping[str, str]) -> Given | None:
    value = environment.get(VARIABLE + name.upper())
    return None if value is None else Given(value=value, origin=Origin.ENVIRONMENT)


def _otherwise(declared: Input, case: Case | None) -> Json:
    """The value where nobody gives one; that of a case has been checked."""
    if case is not None and declared.name in case.inputs:
        return case.inputs[declared.name]
    if declared.required:
        raise UnfitError("E130", f"input `{declared.name}` is required")
    refuse_empty(declared, declared.default)
    return declared.default


def _checked(declared: Input, one: Given) -> Json:
    if declared.secret and one.origin is Origin.COMMAND_LINE:
        raise UnfitError("E133", f"input `{declared.name}` is secret: other people can read a command line")
    written = None if one.document is None else partial(_written, one.document, declared.name)
    return fit(declared, one.value, is_text=one.is_text, written=written)


def _written(document: Document, name: str, path: Path) -> str:
    return document.written((name, *path))


def _problem(job: Job, declared: Input, one: Given | None, unfit: UnfitError, *, case: Case | None) -> Problem:
    if one is not None and one.document is not None:
        return one.document.problem(unfit.code, unfit.message, path=(declared.name, *unfit.path), hint=unfit.hint)
    run = f"{job.name}[{case.name}]" if case else job.name
    message = f"job `{run}`: {unfit.message}" if unfit.code == "E130" else unfit.message
    hint = unfit.hint or (_came(declared, one) if one and unfit.code == "E132" else how_to_give(declared))
    return Problem(code=unfit.code, message=message, hint=hint)


def _unknown(name: str, one: Given, known: set[str]) -> Problem:
    listed = ", ".join(f"`{word}`" for word in sorted(known))
    hint = did_you_mean(name, known) or (f"the inputs are {listed}" if known else "no selected job has inputs")
    message = f"no selected job knows an input `{short(name)}`"
    if one.document is not None:
        return one.document.problem("E131", message, path=(name,), at_key=True, hint=hint)
    return Problem(code="E131", message=message, hint=hint)


def _came(declared: Input, one: Given) -> str:
    where = f" as `{VARIABLE}{declared.name.upper()}`" if one.origin is Origin.ENVIRONMENT else ""
    return f"it was given {one.origin}{where}"


def _without_line_end(content: str) -> str:
    return content.removesuffix("\n").removesuffix("\r")
