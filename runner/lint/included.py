"""The inputs that are handed to an included job: whether it knows them, needs more, and takes what is written out."""

from collections.abc import Iterator

from runner.expressions.parse import texts_in
from runner.foundation.raw import record
from runner.foundation.suggestions import suggest
from runner.foundation.values import JsonObject, Path
from runner.job.input_values import UnfitError, fit, unknown_input
from runner.job.outline import Outline, RawStep, declared_inputs
from runner.lint.texts import Texts


def check_included(step: RawStep, texts: Texts) -> None:
    """Check a `job` step; one whose file could not be read is left alone."""
    action, other = step.fields.get("job"), texts.known.included.get(step.path)
    if not isinstance(action, dict) or other is None:
        return
    path = (*step.path, "job")
    given = record(action.get("inputs"))
    file = f"`{action.get('file')}`"
    for name in (name for name in given if name not in other.inputs):
        message, hint = unknown_input(name, other.inputs, whose=file)
        texts.report("E131", message, (*path, "inputs", name), at_key=True, hint=hint)
    is_misspelt = "inputs" not in action and action.keys() - {"file"}
    missing = [] if is_misspelt else [f"`{name}`" for name in _missing(given, other)]
    if missing:
        what = "the input " + missing[0] if len(missing) == 1 else "the inputs " + ", ".join(missing)
        hint = f"hand in what it has no default for: `inputs: {{{missing[0].strip('`')}: …}}`"
        texts.report("E130", f"{file} needs {what}", (*path, "inputs"), at_key=True, hint=hint)
    _values(given, other, (*path, "inputs"), texts)


def _missing(given: JsonObject, other: Outline) -> Iterator[str]:
    """Inputs without default that are not handed in; a misspelt one is not also missing."""
    meant = {suggest(name, other.inputs) for name in given if name not in other.inputs}
    for declared in declared_inputs(other.inputs):
        if declared.required and declared.name not in given and declared.name not in meant:
            yield declared.name


def _values(given: JsonObject, other: Outline, path: Path, texts: Texts) -> None:
    """Check the values that are written out; those with templates are known only when the job runs."""
    for declared in declared_inputs(other.inputs):
        name = declared.name
        if name not in given or any(True for _ in texts_in(given[name])):
            continue
        if declared.secret:
            message = f"`{name}` is secret, but its value stands here for everybody to read"
            hint = "hand in an input that is secret, too: it can come from the environment or a file"
            texts.report("E107", message, (*path, name), at_key=True, hint=hint, warning=True, hidden=True)
        try:
            fit(declared, given[name])
        except UnfitError as unfit:
            at = (*path, name, *unfit.path)
            texts.report(unfit.code, unfit.message, at, hint=unfit.hint, hidden=declared.secret)
