"""What a schema cannot say of the keys of an action: contradictions, durations, columns, keys that have no effect."""

from collections.abc import Iterator

from runner.foundation import server_time
from runner.foundation.durations import is_too_long
from runner.foundation.lazy import lazy_pattern
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Json, JsonObject, ValuePath, duration, items, record
from runner.job import defaults
from runner.job.actions import ACTIONS
from runner.job.actions.failures import SINCE_RUN
from runner.job.actions.query import columns
from runner.job.outline import RawStep
from runner.lint.texts import JobLint
from runner.lint.uses import starts
from runner.odata.names import is_column, order_of
from runner.reading.document import SAME_COLUMN

_OPTION = lazy_pattern(r"[?&]?\$?(?:select|orderby)=")
_DIRECTIONS = {"descending": "desc", "down": "desc", "desc": "desc", "ascending": "asc", "up": "asc", "asc": "asc"}
DURATIONS: dict[str, tuple[str, ...]] = {
    "timeout": (),
    "cleanup_timeout": (),
    "pause": (),
    "retry": ("initial", "max"),
    **{action.key: action.durations for action in ACTIONS.values() if action.durations},
}
"""Keys of durations, and of records with durations."""
_STEP = lazy_pattern(r"steps\.(\w+)(?:\.\w+)*")
_MOMENT = "write `run`, the id of an earlier step, or a moment with its time zone: `2026-12-31T18:00:00Z`"


def check_durations(fields: JsonObject, path: ValuePath, lint: JobLint) -> None:
    """Durations of a step, of `defaults` or of a job that nobody can wait for."""
    for key in fields.keys() & DURATIONS.keys():
        written = [((*path, key), fields[key])]
        written += [((*path, key, inner), record(fields[key]).get(inner)) for inner in DURATIONS[key]]
        for at, value in written:
            if isinstance(value, str) and is_too_long(value):
                lint.report("E114", f"`{value}` is longer than a year", at, hint="write at most `8760h`")


def check_step_durations(step: RawStep, lint: JobLint) -> None:
    """Warn of a pause, or a watch, that the job's own `timeout` ends, too."""
    check_durations(step.fields, step.path, lint)
    bound = "timeout" if step.path[0] == "steps" and step.undone is None else "cleanup_timeout"
    most = record(lint.document.data).get(bound, "5m" if bound == "cleanup_timeout" else None)
    watch = record(step.fields.get("failures")).get("for")
    what, at = ("pause", ("pause",)) if watch is None else ("watch", ("failures", "for"))
    seconds, longest = duration(step.fields.get("pause") if watch is None else watch), duration(most)
    if seconds is not None and longest is not None and longest <= seconds:
        message = f"this {what} is cut: the `{bound}` of the job is `{most}`"
        lint.report("E107", message, (*step.path, *at), hint=f"write a longer `{bound}`", warning=True)


def check_pauses(fields: JsonObject, path: ValuePath, lint: JobLint, *, otherwise: Json = None) -> None:
    """Report a first pause of a retry or a wait that is longer than any may be: `otherwise`, if that is not written."""
    first, longest = ("initial", "max") if path[-1] == "retry" else ("every", "max_every")
    most = fields.get(longest, otherwise)
    least, bound = duration(fields.get(first)), duration(most)
    if least is not None and bound is not None and bound < least:
        message = f"`{longest}` is `{most}`, so no pause is longer"
        lint.report(
            "E107",
            message,
            (*path, first),
            hint=f"write `{longest}: {fields[first]}` or more",
            warning=first == "initial",
        )


def check_wait(step: RawStep, lint: JobLint) -> None:
    check_pauses(record(step.fields.get("wait")), (*step.path, "wait"), lint)


def check_signal(step: RawStep, lint: JobLint) -> None:
    written = record(step.fields.get("signal"))
    if "until" in written and "starts" not in written:
        message, hint = "`until` is about the process that the change starts", "name it as `starts`, or leave this out"
        lint.report("E107", message, (*step.path, "signal", "until"), at_key=True, hint=hint, warning=True)


def check_columns(step: RawStep, lint: JobLint) -> None:
    """Report what is no column in `select` and `orderby` of a `query`."""
    query = record(step.fields.get("query"))
    for key, is_right in (("select", is_column), ("orderby", order_of)):
        for path, value in listed_texts(query.get(key), (*step.path, "query", key)):
            wrong = (column for column in columns(value) if not is_right(column))
            if value and (column := next(wrong, None)) is not None:
                message = f"`{column}` is no column" if column else "there is no column between two commas"
                joined = SAME_COLUMN if lint.document.joined_items(path) else None
                lint.report("E107", message, path, hint=joined or _column_hint(column, orders=key == "orderby"))


def listed_texts(written: Json, path: ValuePath) -> Iterator[tuple[ValuePath, str]]:
    """The texts without templates of a list, or the text in its place."""
    listed = [((*path, index), item) for index, item in enumerate(items(written))] or [(path, written)]
    return ((at, value) for at, value in listed if isinstance(value, str) and "{{" not in value)


def own_column(path: str) -> str:
    """What a `select` takes in place of a path over a lookup."""
    return f"write `{path.partition('/')[0]}Id`: `select` takes columns of the entity itself"


def _column_hint(column: str, *, orders: bool) -> str:
    if ";" in column:
        return "separate columns by commas"
    if orders and column.startswith("-") and is_column(column[1:]):
        return f"write `{column[1:]} desc`"
    if (option := _OPTION.match(column)) is not None:
        return f"leave out `{option[0]}`"
    name, _, direction = column.partition(" ")
    if is_column(path := name.replace(".", "/")) and path != name:
        direction = _DIRECTIONS.get(direction.strip().casefold(), "")
        return f"write `{f'{path} {direction}'.rstrip()}`" if orders else own_column(path)
    if not is_column(name) or not direction:
        return "write the code of a column, as in `Name`" + (", or a path, as in `Account/Name`" if orders else "")
    if not orders:
        return "separate columns by commas; a column is written by its code, as in `Name`"
    word = _DIRECTIONS.get(direction.strip().casefold())
    return f"write `{name} {word}`" if word else f"write `{name} asc` or `{name} desc`"


_LASTS = {"failures": "a `failures` watches as long as its `for`", "pause": "a `pause` lasts as long as it says"}


def check_no_effect(step: RawStep, lint: JobLint) -> None:
    """Keys that have no effect on the step's action; beside `job` the schema refuses them."""
    fields, action = step.fields, defaults.action_type(step.fields)
    if "undo" in fields and step.path[0] == "finally":
        message = "`undo` under `finally` is never carried out: all undoing comes before `finally`"
        _report_no_effect("undo", message, step, lint)
    if action is None or action.key == "job":
        return
    if "retry" in fields and not action.has_attempts:
        _report_no_effect("retry", f"a `{action.key}` is never tried again", step, lint)
    if "verify" in fields and not action.is_verified:
        what = "`execute`, `run`, `cancel`, `signal` and elements"
        message = f"`verify` is about {what}: it has no effect on `{action.key}`"
        _report_no_effect("verify", message, step, lint)
    if "timeout" in fields and (lasts := _LASTS.get(action.key)):
        _report_no_effect("timeout", f"{lasts}: `timeout` has no effect", step, lint)


def _report_no_effect(key: str, message: str, step: RawStep, lint: JobLint) -> None:
    lint.report("E107", message, (*step.path, key), at_key=True, hint="leave it out", warning=True)


def check_execute(step: RawStep, lint: JobLint) -> None:
    """Keys of an `execute` that need a `result`."""
    execute = step.fields.get("execute")
    if not isinstance(execute, dict) or "result" in execute:
        return
    path = (*step.path, "execute")
    if execute.get("required") is True:
        hint = "name the `result` that must be there"
        lint.report("E107", "`required` needs a `result`", (*path, "required"), hint=hint)
    if execute.get("until") == "done" and defaults.setting("verify", step.fields, lint.defaults) == "none":
        message = "with `verify: none` and no `result`, nobody would follow the process until it is done"
        hint = "leave out `verify: none`, or write `until: started`"
        lint.report("E107", message, (*path, "until"), hint=hint)


def check_undone_twice(step: RawStep, lint: JobLint) -> None:
    """A `finally` step that does after a failure what an `undo` has done just before."""
    condition = str(step.fields.get("if", ""))
    codes = {code for _, code, _ in starts(step)}
    if step.path[0] != "finally" or "success()" in condition or "failure()" in condition:
        return
    for other in lint.outline.steps:
        same = next((code for _, code, _ in starts(other) if code in codes), None)
        name = other.undone.fields.get("id") if other.undone is not None else None
        if same is not None and isinstance(name, str) and f"steps.{name}." in condition:
            message = (
                f"after a failure the `undo` of `{name}` has started `{same}` already, and this step does it again"
            )
            both = f"({condition})" if " or " in condition else condition
            hint = f"write `if: success() and {both}`, which leaves a failed run to `undo`"
            lint.report("E107", message, (*step.path, "if"), hint=hint, warning=True)
            return


def check_parameters(step: RawStep, lint: JobLint) -> None:
    """Parameters without a value: left out as with `null`, and maybe forgotten. A comment says why."""
    for key in step.fields.keys() & ACTIONS.keys():
        for name, value in record(record(step.fields.get(key)).get("parameters")).items():
            path = (*step.path, key, "parameters", name)
            if value is None and lint.document.is_empty(path) and "#" not in lint.document.rest_after(path):
                message = f"`{name}` has no value: the parameter is left out"
                hint = "write its value, or `null` to leave it out on purpose"
                lint.report("E108", message, path, at_key=True, hint=hint, warning=True)


def check_failures(step: RawStep, lint: JobLint) -> None:
    """The moment since which failures count."""
    since, path = record(step.fields.get("failures")).get("since"), (*step.path, "failures", "since")
    if not isinstance(since, str) or "{{" in since:
        return
    if (named := _STEP.fullmatch(since)) is not None and named[1] in lint.outline.by_id:
        lint.report(
            "E197", f"`{since}` is no moment", path, hint=f"write `since: {named[1]}`, the id of the step alone"
        )
        return
    declared = lint.outline.by_id.get(since)
    if since == SINCE_RUN:
        if declared is not None:
            hint = "give the step another id to count since it began"
            message = "`run` is the start of the run, not the step `run`"
            lint.report("E197", message, path, hint=hint, warning=True)
    elif declared is None and server_time.parse_record(since) is None:
        steps = lint.outline.by_id.items()
        earlier = [name for name, other in steps if other.step.rank < step.rank]
        hint = did_you_mean(since, [SINCE_RUN, *earlier]) or _MOMENT
        lint.report("E197", f"`{since}` is no moment, and no step has this id", path, hint=hint)
    elif declared is not None and declared.step.rank >= step.rank + (step.undo is not None):
        lint.report("E197", f"step `{since}` has not begun by then", path, hint=_MOMENT)
