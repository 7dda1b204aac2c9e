"""The values a job runs with: of `-i`, `--inputs`, the environment, its case, or defaults; read by type, and checked.

No message shows the value of a secret input.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from runner.foundation import hints
from runner.foundation.foreign_numbers import plain_number
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem
from runner.foundation.sentences import job_and_case, shortened
from runner.foundation.suggestions import near_or_listed
from runner.foundation.values import LARGEST_INTEGER, Json, ValuePath, as_text, can_be_sent, kind_of, leaves, read_json
from runner.job.model import Case, Input, Job
from runner.json_schema import schemas
from runner.json_schema.as_type import BOOLEANS, GROUPED, as_wanted
from runner.json_schema.keywords import listed_by
from runner.reading.document import Document
from runner.secrets.written_out import NOT_DEFINED, is_macro

VARIABLE = "CREATIO_RUNNER_INPUT_"
NOTHING_LACKS: Mapping[str, Problem] = {}
SHOWN = 40
_MEASURED = lazy_pattern(r"(?:[€$£]|EUR|USD|GBP)? ?(-?[0-9]{1,15}(?:\.[0-9]{1,15})?) ?(?:%|[€$£]|EUR|USD|GBP)?")
_TEMPLATE = lazy_pattern(r"\s*\{\{[^{}]*\}\}\s*")
_OR_NULL = (["string", "null"], ["null", "string"])
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list, written as JSON",
    "object": "a record, written as JSON",
}


_NUMBERS = frozenset[Json]({"integer", "number"})
LARGEST_EXACT = 2**53  # up to which a float has each whole number
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength", "maxLength", "pattern", "format")


class Origin(StrEnum):
    """Where a value came from, in the words of a message."""

    COMMAND_LINE = "on the command line"
    FILE = "in the file after `@`"
    STDIN = "on standard input"
    INPUTS_FILE = "in the `--inputs` file"
    ENVIRONMENT = "in the environment"
    CASE = "in the case"
    TERMINAL = "at the terminal"


class Given(Struct, frozen=True, kw_only=True):
    """A value that somebody gave."""

    value: Json
    origin: Origin
    is_text: bool = True  # the input's type still reads it
    document: Document | None = None  # the `--inputs` file


class UnfitError(Exception):
    """A value that cannot be used. `path` leads to the part of it that is wrong."""

    def __init__(self, code: str, message: str, *, hint: str | None = None, path: ValuePath = ()) -> None:
        super().__init__(message)
        self.finding = Finding(code=code, message=message, hint=hint, path=path)


def what_fits(declared: Input) -> str:
    """The types, choices and bounds that the schema of an input names, in short, as in `integer, minimum 1`."""
    schema = declared.schema
    types = schema.get("type")
    words = [" or ".join(map(str, types if isinstance(types, list) else [types or "any"]))]
    if choices := listed_by(schema, "enum"):
        words.append(f"one of {', '.join(map(as_text, choices))}")
    return ", ".join([*words, *(f"{keyword} {schema[keyword]}" for keyword in _BOUNDS if keyword in schema)])


def parse_option(
    option: str, *, read_file: Callable[[str], str], stdin: Callable[[], str]
) -> tuple[str, Given] | Problem:
    """Read `-i NAME=VALUE`, `=@FILE` or `=@-` (standard input), without the last line end.

    `read_file` and `stdin` raise `OSError` or `UnicodeDecodeError`.
    """
    name, separator, value = option.partition("=")
    if not separator or not name:
        hint = "write `-i NAME=VALUE`, or `-i NAME=@FILE` for the content of a file"
        return Problem(code="E150", message=f"`-i {shortened(name, SHOWN)}` gives no value", hint=hint)
    if not value.startswith("@"):
        return name, Given(value=value, origin=Origin.COMMAND_LINE)
    source = value[1:]
    try:
        content = stdin() if source == "-" else read_file(source)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        hint = f"a value that begins with `@` names a file; the value itself can come from `{VARIABLE}{name.upper()}`"
        hint = "save it as UTF-8" if isinstance(error, UnicodeDecodeError) else hint
        return Problem(code="E100", message=f"input `{name}`: `{source}` cannot be read: {reason}", hint=hint)
    content = content.removesuffix("\n").removesuffix("\r")
    return name, Given(value=content, origin=Origin.STDIN if source == "-" else Origin.FILE)


def from_file(document: Document) -> dict[str, Given] | Problem:
    """What an `--inputs` file gives: a record of values by name, taken as they are."""
    if not isinstance(document.data, dict):
        message = f"this file gives inputs by name, but it holds {kind_of(document.data)}"
        return document.problem("E106", message, path=(), hint="write `NAME: VALUE`, each on a line of its own")
    if "_postman_variable_scope" in document.data:
        hint = "write a file of lines `NAME: VALUE`, with the `value` of each `key` here"
        return document.problem("E106", "this is an environment of Postman", path=(), hint=hint)
    return {
        name: Given(value=value, origin=Origin.INPUTS_FILE, is_text=False, document=document)
        for name, value in document.data.items()
    }


def unknown(given: Mapping[str, Given], known: Collection[str]) -> tuple[Problem, ...]:
    """What was given but is not `known` as an input of any selected job."""
    return tuple(_unknown(name, value, known) for name, value in given.items() if name not in known)


def _unknown(name: str, given: Given, known: Collection[str]) -> Problem:
    hint = near_or_listed(name, known, has="the inputs are") if known else "no selected job has inputs"
    message = f"no selected job knows an input `{shortened(name, SHOWN)}`"
    if given.document is not None:
        return given.document.problem("E131", message, path=(name,), at_key=True, hint=hint)
    return Problem(code="E131", message=message, hint=hint)


def supplied(
    job: Job,
    *,
    given: Mapping[str, Given],
    environment: Mapping[str, str],
    case: Case | None = None,
    lacking: Mapping[str, Problem] = NOTHING_LACKS,
) -> tuple[dict[str, Json], tuple[Problem, ...]]:
    """The values of the job's inputs, and their problems; `given` is `-i` over `--inputs`.

    `lacking` has the problem of each required input that no case gives, for where nothing else gives it either.
    """
    values: dict[str, Json] = {}
    problems: list[Problem] = []
    for declared in job.inputs:
        found = given.get(declared.name) or _from_environment(declared.name, environment)
        try:
            values[declared.name] = _otherwise(declared, case) if found is None else _checked(declared, found)
        except UnfitError as unfit:
            known = lacking.get(declared.name) if found is None else None
            problems.append(known or _problem(job, declared, found, unfit.finding, case=case))
    return values, tuple(problems)


def secret_variables(job: Job, given: Collection[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of the environment that give secret inputs, by the inputs' names."""
    names = (declared.name for declared in job.inputs if declared.secret and declared.name not in given)
    return {name: VARIABLE + name.upper() for name in names if VARIABLE + name.upper() in environment}


def case_secrets(
    job: Job, case: Case | None, given: Collection[str], environment: Mapping[str, str]
) -> tuple[str, ...]:
    """The secret inputs that the case gives, and nothing that goes before it."""
    written = {} if case is None else case.inputs
    before = {*given, *secret_variables(job, given, environment)}
    return tuple(each.name for each in job.inputs if each.secret and each.name in written and each.name not in before)


def _from_environment(name: str, environment: Mapping[str, str]) -> Given | None:
    value = environment.get(VARIABLE + name.upper())
    return None if value is None else Given(value=value, origin=Origin.ENVIRONMENT)


def _otherwise(declared: Input, case: Case | None) -> Json:
    """The value where nobody gives any; that of a case has been checked."""
    if case is not None and declared.name in case.inputs:
        return case.inputs[declared.name]
    if declared.required:
        raise UnfitError("E130", f"input `{declared.name}` is required")
    _refuse_empty(declared, declared.default)
    return _whole(declared, declared.default)


def _checked(declared: Input, given: Given) -> Json:
    if declared.secret and given.origin is Origin.COMMAND_LINE:
        raise UnfitError("E133", f"input `{declared.name}` is secret: other people can read a command line")
    if given.is_text and isinstance(given.value, str) and is_macro(given.value):
        hint = "define the variable in the pipeline; an `--inputs` file gives such a text as it is"
        raise UnfitError("E132", f"input `{declared.name}` has no value: {NOT_DEFINED}", hint=hint)
    document = given.document
    written = None if document is None else lambda path: document.written((declared.name, *path))
    value = fit(declared, given.value, is_text=given.is_text, written=written)
    for path, text in leaves(value):
        if isinstance(text, str) and text.startswith("$ANSIBLE_VAULT;"):
            hint = f"decrypt it first, as in `ansible-vault view FILE | runner … -i {declared.name}=@-`"
            raise UnfitError("E132", f"input `{declared.name}` is still encrypted by a vault", hint=hint, path=path)
        if isinstance(text, str) and _TEMPLATE.fullmatch(text):
            hint = f"the value itself is wanted: {how_to_give(declared)}"
            raise UnfitError("E122", f"input `{declared.name}`: no template is read here", hint=hint, path=path)
    return value


def _problem(job: Job, declared: Input, given: Given | None, wrong: Finding, *, case: Case | None) -> Problem:
    if given is not None and given.document is not None:
        return given.document.found(wrong, (declared.name,))
    run = job_and_case(job.name, case.name if case else None)
    message = f"job `{run}`: {wrong.message}" if wrong.code == "E130" else wrong.message
    hint = wrong.hint or how_to_give(declared)
    if wrong.hint is None and given is not None and wrong.code == "E132":
        where = f" as `{VARIABLE}{declared.name.upper()}`" if given.origin is Origin.ENVIRONMENT else ""
        hint = f"it was given {given.origin}{where}"
    return Problem(code=wrong.code, message=message, hint=hint)


def how_to_give(declared: Input) -> str:
    """A piece of a hint: how a run is given this input."""
    variable = VARIABLE + declared.name.upper()
    if declared.secret:
        return f"give it with `-i {declared.name}=@FILE`, `-i {declared.name}=@-`, `{variable}` or `--inputs`"
    return f"give it with `-i {declared.name}=VALUE`, `{variable}` or `--inputs`"


def fit(
    declared: Input, value: Json, *, is_text: bool = False, written: Callable[[ValuePath], str] | None = None
) -> Json:
    """`value` as the input takes it; `is_text`: as JSON, unless the type is `string`. Raises `UnfitError` with its
    name.

    A faulty schema, reported elsewhere, takes all. `written` gives a part of the value as it is in its file.
    """
    found = _whole(declared, _typed(declared, value) if is_text and isinstance(value, str) else value)
    _refuse_empty(declared, found)
    try:
        violations = schemas.from_job(declared.schema).violations(found)
    except ValueError:
        return found
    for violation in violations:
        why = f"it does not fit `{violation.keyword}`" if declared.secret else violation.message
        source = None if written is None else written(violation.path)
        hint = None if declared.secret else as_wanted(violation, written=source)
        raise UnfitError("E132", f"input `{declared.name}`: {why}", hint=hint, path=violation.path)
    return found


def _whole(declared: Input, value: Json) -> Json:
    """The value; `1.0` of an input that takes numbers as 1, which it is to JSON Schema: spreadsheets write it so."""
    kinds = declared.schema.get("type")
    takes_numbers = _NUMBERS.intersection(kinds if isinstance(kinds, list) else [kinds])
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT
    return int(value) if takes_numbers and isinstance(value, float) and is_whole else value


def _refuse_empty(declared: Input, value: Json) -> None:
    if declared.secret and value == "":
        raise UnfitError("E134", f"input `{declared.name}` is secret, and empty")


def unknown_input(name: str, declared: Iterable[str], *, whose: str = "the job") -> tuple[str, str]:
    """Message and hint for a value that no input is there for."""
    known = list(declared)
    hint = near_or_listed(name, known, has="its inputs are") if known else "it has no inputs"
    return f"{whose} has no input `{shortened(name, SHOWN)}`", hint


def _typed(declared: Input, text: str) -> Json:
    kind, choices = declared.schema.get("type"), listed_by(declared.schema, "enum")
    is_a_text = kind is None and bool(choices) and all(isinstance(choice, str) for choice in choices)
    if kind == "string" or (kind in _OR_NULL and text != "null") or is_a_text:
        return text
    shown = "its value" if declared.secret else f"`{shortened(text, SHOWN)}`"
    try:
        if kind == "integer" and GROUPED.fullmatch(text):
            raise ValueError("to JSON `1.000` is 1")  # noqa: TRY301  it is refused as what cannot be read is
        value = _within_64_bits(read_json(text))
    except (ValueError, RecursionError):
        wanted = _KINDS.get(str(kind), "JSON, and the input's type is not `string`")
        message = f"input `{declared.name}`: {shown} is not {wanted}"
        raise UnfitError("E132", message, hint=_json_hint(declared, text)) from None
    if not can_be_sent(value):
        message = f"input `{declared.name}`: {shown} has half of a surrogate pair, which cannot be sent"
        raise UnfitError("E132", message, hint="write the character itself")
    if isinstance(value, str) and value == text.strip():
        message = f"input `{declared.name}`: {shown} has more digits than a number keeps, and would be rounded"
        raise UnfitError("E132", message, hint="declare `type: string` in the job: a text is sent as it is")
    return value


def _within_64_bits(value: Json) -> Json:
    """`value`. Raises `ValueError` for integers on which readers of JSON do not agree."""
    if any(type(leaf) is int and abs(leaf) > LARGEST_INTEGER for _, leaf in leaves(value)):
        raise ValueError("an integer beyond 64 bits")
    return value


def _plain(text: str, kind: str) -> str | None:
    """A number in the form of JSON; of a whole number without zeros after the point."""
    plain = plain_number(text)
    if plain is None or kind == "number":
        return plain
    whole, _, fraction = plain.partition(".")
    return None if fraction.strip("0") else whole


def _json_hint(declared: Input, text: str) -> str | None:
    match declared.schema.get("type"):
        case "integer" if not declared.secret and GROUPED.fullmatch(text):
            return f"write `{text.replace(',', '').replace('.', '')}`"
        case "number" if not declared.secret and GROUPED.fullmatch(text):
            return f"write `{text.replace(',', '')}`, or `{text.replace(',', '.')}` if the comma begins a fraction"
        case "number" | "integer" if not declared.secret and (measured := _MEASURED.fullmatch(text)):
            number = re.sub(r"^(-?)0+(?=[0-9])", r"\1", measured[1])
            is_bare = measured[1] == text
            return f"write `{number}`, or declare `type: string`" if is_bare else f"write the number alone: `{number}`"
        case "number" | "integer" as kind if not declared.secret and (plain := _plain(text, kind)):
            return f"write `{plain}`"
        case "number" | "integer" if not declared.secret and text.startswith("#"):
            return hints.hint("cells", "", text)
        case "boolean":
            right = None if declared.secret else BOOLEANS.get(text.casefold())
            return f"write `{right}`" if right else "write `true` or `false`"
        case None if not declared.secret:
            return "declare `type: string` in the job, or give JSON: a text in double quotes"
        case _:
            return None
