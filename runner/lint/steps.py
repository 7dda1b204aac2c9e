"""The texts of one step, each read as what it is at its place; and ids that must be GUIDs."""

import re

from runner.foundation.guids import is_guid, mended
from runner.foundation.lazy import lazy_pattern
from runner.foundation.raw import record
from runner.foundation.values import Json, Path
from runner.job.actions import ACTIONS
from runner.job.outline import RawStep
from runner.lint.elements import element_form
from runner.lint.expectations import check_condition, check_expectations
from runner.lint.places import NameScope, action_values, condition, ids, outcome, turns, values
from runner.lint.texts import JobLint
from runner.lint.uses import starts
from runner.reading.document import IN_ONE_COLUMN

_OF_A_NAME = lazy_pattern(r"[g-zG-Z_]")
"""Letters that no id has."""


def read_step(step: RawStep, *, undone: RawStep, lint: JobLint) -> None:
    """Read every text of `step`; `undone` is the step that it undoes, or `step` itself."""
    for key, value in step.fields.items():
        path = (*step.path, key)
        match key:
            case "if":
                check_condition(value, path, scope=condition(step, undone), lint=lint)
            case "for_each" if isinstance(value, str):
                lint.expression(value, path, turns(step, undone))
            case "for_each":
                lint.value(value, path, turns(step, undone))
            case "expect":
                check_expectations(value, path, scope=outcome(step, undone), lint=lint)
            case "outputs":
                read_outputs(value, path, outcome(step, undone), lint)
            case _ if key in ACTIONS or key == "undo":
                pass  # the steps of an `undo` are read like all others
            case _:
                lint.plain(value, path)
    for found in action_values(step):
        if found.is_template:
            lint.value(found.value, found.path, values(step, undone))
        else:
            lint.plain(found.value, found.path)


def read_outputs(written: Json, path: Path, scope: NameScope, lint: JobLint) -> None:
    for name, value in record(written).items():
        lint.expression(value, (*path, name), scope)


def check_ids(step: RawStep, lint: JobLint) -> None:
    for found in ids(step):
        text = str(found.value)
        if "{{" in text or is_guid(text):
            continue
        guid = mended(text)
        is_name = not guid and _OF_A_NAME.search(text)
        if lint.document.joined_items(found.path):
            hint = IN_ONE_COLUMN
        elif is_name and found.path[-1] in ("process_id", "of"):
            hint = _started_process(text, lint, done="cancelled" if "cancel" in found.path else "waited for")
        elif is_name and "signal" not in found.path:
            hint = element_form(found.path, text, lint.outline)
        else:
            hint = f"write `{guid}`" if guid else "an id is 8-4-4-4-12 hexadecimal digits, or a template that gives it"
        lint.report("E113", f"`{text}` is not a GUID", found.path, hint=hint)


def _started_process(text: str, lint: JobLint, *, done: str) -> str:
    """The id of a run of a process comes from the step that starts it, which may be named by the process's code."""
    if re.fullmatch(r"(?:steps|vars|inputs|item)\.[\w.\[\]]+", text):
        return f'write `"{{{{ {text} }}}}"`'
    for name, declared in lint.outline.by_id.items():
        if any(text in (code, name) for _, code, _ in starts(declared.step)):
            return f'write `"{{{{ steps.{name}.process_id }}}}"`: what is {done} is one run of the process'
    return 'write `"{{ steps.ID.process_id }}"`, with the id of the step that starts the process'
