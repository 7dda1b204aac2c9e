"""The JSON Schemas of a job: each must be valid, and what is written out for an input must fit it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from runner.expressions.parse import texts_in
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, ValuePath, record, value_at
from runner.job.outline import Outline, RawStep, declared_inputs, schema_of
from runner.json_schema import schemas
from runner.language.lookalikes import NULLS
from runner.lint.texts import JobLint

if TYPE_CHECKING:
    from runner.json_schema.violations import Violation


def is_schema(schema: Json, path: ValuePath, lint: JobLint) -> bool:
    """Whether `schema` is a JSON Schema; reports what is wrong with it, or probably is."""
    from runner.json_schema.flaws import check  # noqa: PLC0415  2 ms, for a job with schemas

    found = check(schema)
    for each in found:
        if "{{" not in str(value_at(each.path, schema)):  # `plain` has reported it
            lint.add(replace(each, code="E115"), path)
    return all(each.warning for each in found)


def check_inputs(lint: JobLint) -> None:
    """Report on the schemas and defaults of inputs, and on names that are equal in the environment."""
    for name, written in lint.outline.inputs.items():
        path: ValuePath = ("inputs", name)
        lint.plain(written, path)
        if isinstance(written, dict) and is_schema(schema_of(written), path, lint) and "default" in written:
            _default(written, path, lint)
    first: dict[str, str] = {}
    for name in lint.outline.inputs:
        earlier = first.setdefault(name.upper(), name)
        if earlier != name:
            message = f"in the environment, `{name}` and `{earlier}` are one: CREATIO_RUNNER_INPUT_{name.upper()}"
            lint.report("E111", message, ("inputs", name), at_key=True, hint="give one of them another name")


def _default(written: JsonObject, path: ValuePath, lint: JobLint) -> None:
    default, at = written["default"], (*path, "default")
    is_secret = written.get("secret") is True
    if is_secret and default not in (None, ""):
        message = f"`{path[-1]}` is secret, and everybody can read its default here"
        hint = "leave the default out: the value can come from the environment or a file"
        lint.report("E107", message, at, hint=hint, warning=True, hidden=True)
    if isinstance(default, str) and "{{" in default:
        return  # `plain` has reported it
    from runner.json_schema.as_type import as_wanted  # noqa: PLC0415  comes with the schema's own check

    for violation in schemas.from_job(schema_of(written)).violations(default):
        here = (*at, *violation.path)
        if is_secret:
            lint.report("E116", f"the default does not fit its `{violation.keyword}`", here, hidden=True)
        else:
            wanted = as_wanted(violation, written=lint.document.written(here)) or _as_null(violation)
            lint.report("E116", f"the default does not fit: {violation.message}", here, hint=wanted)


def _as_null(violation: "Violation") -> str | None:
    """How to declare that there may be no value, for null or what other languages write for it."""
    kind, value = violation.expected, violation.value
    if violation.path or violation.keyword != "type" or not isinstance(kind, str) or value not in (None, *NULLS):
        return None
    also = "" if value is None else " and `default: null`"
    return f'write `type: [{kind}, "null"]`{also} for no value'


def check_included(step: RawStep, lint: JobLint) -> None:
    """Check the inputs of an included job, if its file could be read."""
    action, other = step.fields.get("job"), lint.outline.included.get(step.path)
    if not isinstance(action, dict) or other is None:
        return
    from runner.job.inputs import unknown_input  # noqa: PLC0415  1 ms, for a job that includes others

    path, given = (*step.path, "job", "inputs"), record(action.get("inputs"))
    file = f"`{action.get('file')}`"
    for name in (name for name in given if name not in other.inputs):
        message, hint = unknown_input(name, other.inputs, whose=file)
        lint.report("E131", message, (*path, name), at_key=True, hint=hint)
    is_misspelt = "inputs" not in action and (action.keys() - {"file"} or "inputs" in step.fields)
    missing = [] if is_misspelt else [*_missing(given, other)]
    if missing:
        what = ("the input " if len(missing) == 1 else "the inputs ") + ", ".join(f"`{name}`" for name in missing)
        hint = f"hand in what it has no default for: `inputs: {{{missing[0]}: …}}`"
        lint.report("E130", f"{file} needs {what}", path, at_key=True, hint=hint)
    _values(given, other, path, lint)


def _missing(given: JsonObject, other: Outline) -> Iterator[str]:
    """Inputs without default that are not handed in; a misspelt input is not also missing."""
    misspelt = {suggest(name, other.inputs) for name in given if name not in other.inputs}
    for declared in declared_inputs(other.inputs):
        if declared.required and declared.name not in given and declared.name not in misspelt:
            yield declared.name


def _values(given: JsonObject, other: Outline, path: ValuePath, lint: JobLint) -> None:
    """Check the values that are written out; those with templates are known only when the job runs."""
    from runner.job.inputs import UnfitError, fit  # noqa: PLC0415  as above

    for declared in declared_inputs(other.inputs):
        name = declared.name
        if name not in given or any(True for _ in texts_in(given[name])):
            continue
        if declared.secret:
            message = f"`{name}` is secret, and everybody can read its value here"
            hint = "hand in an input that is secret, too: it can come from the environment or a file"
            lint.report("E107", message, (*path, name), at_key=True, hint=hint, warning=True, hidden=True)
        try:
            fit(declared, given[name])
        except UnfitError as unfit:
            lint.add(unfit.finding, (*path, name), hidden=declared.secret)
