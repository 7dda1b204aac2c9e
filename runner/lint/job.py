"""What a schema cannot say of a job: names, ids, effects, contradictions, all in a pass.

A faulty document is checked as far as its shape allows. A rule is a function in `STEP_RULES` or `JOB_RULES`.
"""

from collections.abc import Callable, Collection
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, in_order
from runner.foundation.values import Json, JsonObject, ValuePath, compact, is_guid, mended_guid, record
from runner.job.actions import ACTIONS
from runner.job.outline import Outline, RawStep, outline
from runner.lint import actions
from runner.lint.addresses import check_addresses
from runner.lint.elements import check_ends, element_form
from runner.lint.expectations import check_condition, check_expectations
from runner.lint.places import (
    ActionValue,
    NameScope,
    action_values,
    after_all_steps,
    before_the_steps,
    condition,
    ids,
    outcome,
    turns,
    values,
)
from runner.lint.retry import check_preset, check_retry
from runner.lint.row_names import check_row_names
from runner.lint.schemas import check_included, check_inputs
from runner.lint.secrets import check_secrets, check_sent_secrets
from runner.lint.texts import JobLint
from runner.lint.uses import starts
from runner.reading.collector import not_reported
from runner.reading.document import SAME_COLUMN, Document

_LOOP = lazy_pattern(r"\s*(?:for\s+)?(\w+)\s+in\s+([\w.]+)\s*")
_ANCHOR = lazy_pattern(r"[:-] +&\w")
_NAME = lazy_pattern(r"\W*((?:steps|vars|inputs|item)\.[\w.\[\]]+)\W*")
_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_OF_AN_INPUT: Final = frozenset({"type", "default", "description", "secret", "enum", "format", "items", "title"})
_OF_A_NAME = lazy_pattern(r"[g-zG-Z_]")  # letters that no id has


def _check_id(found: ActionValue, lint: JobLint) -> None:
    """Report a text without braces that is no GUID; whether it is near a template is not asked then."""
    text = str(found.value)
    guid = mended_guid(text.rpartition("/")[2].rpartition("=")[2])
    is_name = not guid and (_OF_A_NAME.search(text) or text in lint.outline.by_id)
    if lint.document.joined_items(found.path):
        hint = SAME_COLUMN
    elif name := _NAME.fullmatch(text):
        hint = f'write `"{{{{ {name[1]} }}}}"`'
    elif is_name and found.path[-1] in ("process_id", "of"):
        hint = _started_process(text, lint, done="cancelled" if "cancel" in found.path else "waited for")
    elif is_name and "signal" not in found.path:
        hint = element_form(found.path, text, lint.outline)
    else:
        hint = f"write `{guid}`" if guid else "write 8-4-4-4-12 hexadecimal digits, or a template that gives an id"
    lint.report("E113", f"`{text}` is not a GUID", found.path, hint=hint)


def _started_process(text: str, lint: JobLint, *, done: str) -> str:
    """The id of a run of a process comes from the step that starts it, which may be named by the process's code."""
    for name, declared in lint.outline.by_id.items():
        if any(text in (code, name) for _, code, _ in starts(declared.step)):
            return f'write `"{{{{ steps.{name}.process_id }}}}"`: what is {done} is one run of the process'
    return 'write `"{{ steps.ID.process_id }}"`, with the id of the step that starts the process'


def _check_ids_once(lint: JobLint) -> None:
    for step in lint.outline.steps:
        name = step.fields.get("id")
        has_action = not ACTIONS.keys().isdisjoint(step.fields)
        if has_action and isinstance(name, str) and (first := lint.outline.by_id[name].step) is not step:
            line = lint.document.line_of((*first.path, "id"))
            message = f"two steps are called `{name}`: here and in line {line}"
            lint.report("E111", message, (*step.path, "id"), hint="give one of them another id")


def _check_var(name: str, value: Json, lint: JobLint) -> None:
    if isinstance(value, dict) and value.get("type") in _TYPES and value.keys() <= _OF_AN_INPUT:
        message, hint = f"this record is the value of `{name}`: only `inputs` have types", "declare it under `inputs`"
        lint.report("E107", message, ("vars", name), at_key=True, hint=hint, warning=True)


def _check_parameters(values: JsonObject, path: ValuePath, lint: JobLint) -> None:
    """Warn of `{value: Ann, type: String}`, as other services take it: here it is sent as a record."""
    for name, value in values.items():
        if isinstance(value, dict) and {"value", "type"} <= value.keys() <= {"value", "type", "name"}:
            message, hint = f"this record is the value of `{name}`", f"write `{name}: {compact(value['value'])}`"
            lint.report("E107", message, (*path, name), at_key=True, hint=hint, warning=True)


def _check_unused(lint: JobLint) -> None:
    """Warn of vars that nothing uses, and of cases that all do the same. Other inputs may be for readers."""
    roots = {path[0] for path in lint.used}
    if lint.outline.has_cases and lint.outline.inputs and roots.isdisjoint(("inputs", "case")):
        message, hint = "no step uses an input: all cases do the same", "write `{{ inputs.NAME }}` where they differ"
        lint.report("E107", message, ("cases",), at_key=True, hint=hint, warning=True)
    for name in lint.outline.vars if ("vars",) not in lint.used and not _ANCHOR.search(lint.document.text) else ():
        if ("vars", name) not in lint.used:
            hint = f"write `{{{{ vars.{name} }}}}` where it is needed, or leave it out"
            lint.report("E107", f"nothing uses `vars.{name}`", ("vars", name), at_key=True, hint=hint, warning=True)


def _check_job_durations(lint: JobLint) -> None:
    actions.check_durations(record(lint.document.data), (), lint)
    actions.check_durations(lint.defaults, ("defaults",), lint)


def _check_filter(step: RawStep, lint: JobLint) -> None:
    from runner.lint.filters import check_filter  # noqa: PLC0415  1 ms, for a query

    check_filter(step, lint)


_STARTS = "execute run signal"
STEP_RULES: Final[tuple[tuple[frozenset[str], Callable[[RawStep, JobLint], None]], ...]] = tuple(
    (frozenset(keys.split()), rule)
    for keys, rule in (
        ("wait", actions.check_wait),
        ("signal", actions.check_signal),
        ("query", actions.check_columns),
        (f"{_STARTS} query", check_addresses),
        ("query", _check_filter),
        ("undo retry verify timeout", actions.check_no_effect),
        ("execute", actions.check_execute),
        (" ".join(ACTIONS), actions.check_parameters),
        ("if", actions.check_undone_twice),
        ("failures", actions.check_failures),
        (" ".join(actions.DURATIONS), actions.check_step_durations),
        ("job", check_included),
        ("retry", check_retry),
    )
)
"""Each with the keys of a step that it is about."""
JOB_RULES: Final[tuple[Callable[[JobLint], None], ...]] = (
    check_preset,
    _check_job_durations,
    _check_ids_once,
    check_ends,
    check_row_names,
    check_secrets,
    check_sent_secrets,
)


def check(document: Document, *, reported: Collection[Problem] = (), job: Outline | None = None) -> tuple[Problem, ...]:
    """All new problems, in the order of the file. `job` has the included jobs; without it they are not checked."""
    if not isinstance(document.data, dict):
        return ()
    lint = JobLint(document=document, outline=job or outline(document.data))
    _read_job(lint)
    for step in lint.outline.steps:
        _read_step(step, lint)
        for keys, check_step in STEP_RULES:
            if not keys.isdisjoint(step.fields):
                check_step(step, lint)
    for check_job in JOB_RULES:
        check_job(lint)
    if not reported and not lint.problems:
        _check_unused(lint)
    return in_order(dict.fromkeys(not_reported(lint.problems, reported)))


def _read_job(lint: JobLint) -> None:
    for key, value in record(lint.document.data).items():
        match key:
            case "inputs":
                check_inputs(lint)
            case "vars":
                evaluated: set[str] = set()
                for name, text in lint.outline.vars.items():
                    lint.value(text, ("vars", name), before_the_steps(lint.outline, evaluated))
                    _check_var(name, text, lint)
                    evaluated.add(name)
            case "outputs":
                _read_outputs(value, ("outputs",), after_all_steps(lint.outline), lint)
            case "steps" | "finally":
                pass  # they are read step by step
            case "cases" if isinstance(value, list):
                pass  # they are read when they are checked against the inputs
            case _:
                lint.plain(value, (key,))


def _read_step(step: RawStep, lint: JobLint) -> None:
    job = lint.outline
    scope = values(step, job)
    ended = outcome(step, scope)
    for key, value in step.fields.items():
        path = (*step.path, key)
        match key:
            case "if":
                check_condition(value, path, scope=condition(step, job), lint=lint)
            case "for_each":
                _read_loop(value, path, turns(step, job), lint)
            case "expect":
                check_expectations(value, path, scope=ended, lint=lint)
            case "outputs":
                _read_outputs(value, path, ended, lint)
            case _ if key in ACTIONS or key == "undo":
                pass  # the steps of an `undo` are read like all others
            case _:
                lint.plain(value, path)
    written = action_values(step)
    no_ids = [found for found in ids(written) if "{{" not in str(found.value) and not is_guid(str(found.value))]
    for found in no_ids:
        _check_id(found, lint)
    for found in (each for each in written if each not in no_ids):
        if found.path[-1] == "parameters":
            _check_parameters(record(found.value), found.path, lint)
        if found.is_template:
            lint.value(found.value, found.path, scope)
        else:
            lint.plain(found.value, found.path)


def _read_loop(written: Json, path: ValuePath, scope: NameScope, lint: JobLint) -> None:
    if not isinstance(written, str):
        lint.value(written, path, scope)
    elif loop := _LOOP.fullmatch(written):
        hint = f"write `for_each: {loop[2]}`, and `item` for each `{loop[1]}`"
        lint.report("E120", "`for_each` takes the list alone", path, hint=hint)
    else:
        lint.expression(written, path, scope)


def _read_outputs(written: Json, path: ValuePath, scope: NameScope, lint: JobLint) -> None:
    for name, value in record(written).items():
        lint.expression(value, (*path, name), scope)
