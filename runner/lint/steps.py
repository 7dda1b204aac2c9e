"""What a schema cannot say of one step: names in its texts, ids of elements, keys that contradict each other."""

import re
from collections.abc import Iterator

from runner.foundation.guids import is_guid, mended
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path
from runner.job import defaults
from runner.job.actions import ACTIONS, ActionType
from runner.job.outline import RawStep
from runner.lint.actions import check_action
from runner.lint.conditions import condition as check_condition
from runner.lint.elements import form_at
from runner.lint.expect import expectations
from runner.lint.failures import check_failures
from runner.lint.included import check_included
from runner.lint.scopes import Scope, condition, outcome, turns, values
from runner.lint.texts import Texts
from runner.lint.uses import processes_of_elements, starts
from runner.reading.document import IN_ONE_COLUMN

_OF_A_NAME = re.compile(r"[g-zG-Z_]")
"""Letters that no id has."""


def read_step(step: RawStep, *, undone: RawStep, texts: Texts) -> None:
    """Read every text of `step`; `undone` is the step that it undoes, or `step` itself."""
    for key, value in step.fields.items():
        path = (*step.path, key)
        match key:
            case "if":
                check_condition(value, path, scope=condition(step, undone), texts=texts)
            case "for_each":
                _list(value, path, scope=turns(step, undone), texts=texts)
            case "expect":
                expectations(value, path, scope=outcome(step, undone), texts=texts)
            case "outputs":
                expressions(value, path, scope=outcome(step, undone), texts=texts)
            case "undo":
                pass  # its steps are read like all others
            case _ if key in ACTIONS:
                _action(ACTIONS[key], value, path, scope=values(step, undone), texts=texts)
            case _:
                texts.plain(value, path)


def check_step(step: RawStep, *, preset: JsonObject, texts: Texts) -> None:
    """Check what `step` says against itself and against `preset`, the job's `defaults`."""
    for path, written in _ids(step):
        _guid(written, path, texts)
    check_action(step, texts)
    _undo_in_finally(step, texts)
    check_included(step, texts)
    check_failures(step, texts)
    execute = step.fields.get("execute")
    if isinstance(execute, dict) and "result" not in execute:
        _without_result(execute, step, preset=preset, texts=texts)


def expressions(written: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    """Read the record behind an `outputs`."""
    for name, value in record(written).items():
        texts.expression(value, (*path, name), scope)


def _list(written: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    if isinstance(written, str):
        texts.expression(written, path, scope)
    else:
        texts.value(written, path, scope)


def _action(action: ActionType, written: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    """Read what an action is given: values with templates at its keys for them, plain values everywhere else."""
    match written:
        case dict():
            for name, value in written.items():
                if name in action.templates:
                    texts.value(value, (*path, name), scope)
                else:
                    _action(action, value, (*path, name), scope=scope, texts=texts)
        case list():
            for index, item in enumerate(written):
                _action(action, item, (*path, index), scope=scope, texts=texts)
        case _ if action.is_template and path[-1] not in action.durations:
            texts.value(written, path, scope)
        case _ if path[-1] != action.key or not action.templates:  # else it is no record, which the schema reports
            texts.plain(written, path)
        case _:
            pass


def _ids(step: RawStep) -> Iterator[tuple[Path, str]]:
    """The ids of elements and processes that `step` names."""
    fields, path = step.fields, step.path
    written: list[tuple[Path, Json]] = [((*path, "element"), fields.get("element"))]
    written += [((*path, "elements", index), item) for index, item in enumerate(items(fields.get("elements")))]
    written += processes_of_elements(step)
    written += [((*path, key, "process_id"), record(fields.get(key)).get("process_id")) for key in ACTIONS]
    written += [
        ((*path, "signal", change, "id"), record(fields_of_change).get("id"))
        for change, fields_of_change in record(fields.get("signal")).items()
    ]
    written.append(
        (
            (*path, "signal", "insert", "values", "Id"),
            record(record(record(fields.get("signal")).get("insert")).get("values")).get("Id"),
        )
    )
    for at, value in written:
        if isinstance(value, str):
            yield at, value
        elif isinstance(uid := record(value).get("uid"), str):
            yield (*at, "uid"), uid


def _guid(text: str, path: Path, texts: Texts) -> None:
    if "{{" in text or is_guid(text):
        return
    meant = mended(text)
    if texts.document.joined_items(path):
        hint = IN_ONE_COLUMN
    elif path[-1] in ("process_id", "of") and not meant and _OF_A_NAME.search(text):
        hint = _of_started(text, texts, doing="cancelled" if "cancel" in path else "waited for")
    elif not meant and "signal" not in path and _OF_A_NAME.search(text):
        hint = form_at(path, text, texts.known)
    else:
        hint = f"write `{meant}`" if meant else "an id is 8-4-4-4-12 hexadecimal digits, or a template that gives one"
    texts.report("E113", f"`{text}` is not a GUID", path, hint=hint)


def _of_started(text: str, texts: Texts, *, doing: str) -> str:
    """What is waited for is one run of a process, which the step that starts it knows: by the process's code."""
    if re.fullmatch(r"(?:steps|vars|inputs|item)\.[\w.\[\]]+", text):
        return f'write `"{{{{ {text} }}}}"`'
    for name, declared in texts.known.by_id.items():
        if any(text in (code, name) for _, code, _ in starts(declared.step)):
            return f'write `"{{{{ steps.{name}.process_id }}}}"`: what is {doing} is one run of the process'
    return 'write `"{{ steps.ID.process_id }}"`, with the id of the step that starts the process'


def _undo_in_finally(step: RawStep, texts: Texts) -> None:
    if step.path[0] == "finally" and "undo" in step.fields:
        message = "`undo` under `finally` is never carried out: all undoing comes before `finally`"
        texts.report("E107", message, (*step.path, "undo"), at_key=True, hint="leave it out", warning=True)


def _without_result(execute: JsonObject, step: RawStep, *, preset: JsonObject, texts: Texts) -> None:
    path = (*step.path, "execute")
    if execute.get("required") is True:
        hint = "name the `result` that must be there"
        texts.report("E107", "`required` needs a `result`", (*path, "required"), hint=hint)
    if execute.get("until") == "done" and defaults.setting("verify", step.fields, preset) == "none":
        message = "with `verify: none` and no `result`, nobody would follow the process until it is done"
        hint = "leave out `verify: none`, or write `until: started`"
        texts.report("E107", message, (*path, "until"), hint=hint)
