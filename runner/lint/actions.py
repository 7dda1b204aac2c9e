"""What a schema cannot say of single actions, and keys that say nothing beside an action that does not heed them."""

import re
from collections.abc import Iterator

from runner.foundation.durations import is_too_long, seconds
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path
from runner.job import defaults
from runner.job.actions import ACTIONS
from runner.job.actions.query import columns
from runner.job.outline import RawStep
from runner.lint.filters import check_filter
from runner.lint.texts import Texts
from runner.reading.document import IN_ONE_COLUMN

_COLUMN = r"(?:[^\W\d]\w*(?:/[^\W\d]\w*)*|\*)"
_ORDER = rf"{_COLUMN}(?: (?:asc|desc))?"
_DIRECTIONS = {"descending": "desc", "down": "desc", "desc": "desc", "ascending": "asc", "up": "asc", "asc": "asc"}
_NOTHING = "leave it out"
_DURATIONS: dict[str, tuple[str, ...]] = {
    "timeout": (),
    "cleanup_timeout": (),
    "pause": (),
    "retry": ("initial", "max"),
    **{action.key: action.durations for action in ACTIONS.values() if action.durations},
}
"""Keys whose value is a duration, or a record with durations at these keys."""


def check_action(step: RawStep, texts: Texts) -> None:
    for key, value in step.fields.items():
        path = (*step.path, key)
        match key:
            case "run":
                _run(record(value), path, texts)
            case "wait":
                _wait(record(value), path, texts)
            case "signal":
                _signal(record(value), path, texts)
            case "query":
                _query(record(value), path, texts)
            case "retry" | "verify":
                _unheeded(key, step.fields, path, texts)
            case _:
                pass
    check_durations(step.fields, step.path, texts)


def check_durations(fields: JsonObject, path: Path, texts: Texts) -> None:
    """Durations of a step, of `defaults` or of a job that nobody can wait for."""
    for at, value in _durations(fields, path):
        if isinstance(value, str) and is_too_long(value):
            texts.report("E114", f"`{value}` is longer than a year", at, hint="the longest duration is `8760h`")


def _durations(fields: JsonObject, path: Path) -> Iterator[tuple[Path, Json]]:
    for key in fields.keys() & _DURATIONS.keys():
        value = fields[key]
        yield (*path, key), value
        for inner in _DURATIONS[key]:
            yield (*path, key, inner), record(value).get(inner)


def _run(written: JsonObject, path: Path, texts: Texts) -> None:
    codes: set[str] = set()
    for index, code in enumerate(items(written.get("results"))):
        if isinstance(code, str):
            if code in codes:
                texts.report("E111", f"`{code}` is asked for twice", (*path, "results", index), hint="once is enough")
            codes.add(code)


def _wait(written: JsonObject, path: Path, texts: Texts) -> None:
    first, longest = written.get("every"), written.get("max_every")
    if isinstance(first, str) and isinstance(longest, str):
        least, most = seconds(first), seconds(longest)
        if least is not None and most is not None and most < least:
            message = f"`max_every` is shorter than `every`, which is `{first}`"
            texts.report("E107", message, (*path, "max_every"), hint="leave one of them out: the other goes along")


def _signal(written: JsonObject, path: Path, texts: Texts) -> None:
    if "until" in written and "starts" not in written:
        message, hint = "`until` is about the process that the change starts", "name it as `starts`, or leave this out"
        texts.report("E107", message, (*path, "until"), at_key=True, hint=hint, warning=True)


def _query(written: JsonObject, path: Path, texts: Texts) -> None:
    _columns(written.get("select"), (*path, "select"), pattern=_COLUMN, texts=texts)
    _columns(written.get("orderby"), (*path, "orderby"), pattern=_ORDER, texts=texts)
    condition = written.get("filter")
    if isinstance(condition, str):
        check_filter(condition, (*path, "filter"), texts)


def _columns(written: Json, path: Path, *, pattern: str, texts: Texts) -> None:
    listed: list[tuple[Path, Json]] = [(path, written)]
    if isinstance(written, list):
        listed = [((*path, index), item) for index, item in enumerate(written)]
    for at, value in listed:
        if not isinstance(value, str) or not value or "{{" in value:
            continue
        for column in columns(value):
            if not re.fullmatch(pattern, column):
                message = f"`{column}` is no column" if column else "there is no column between two commas"
                joined = IN_ONE_COLUMN if texts.document.joined_items(at) else None
                texts.report("E107", message, at, hint=joined or _meant(column, pattern))
                break


def _meant(column: str, pattern: str) -> str:
    if ";" in column:
        return "columns are separated by commas"
    if pattern == _ORDER and re.fullmatch(f"-{_COLUMN}", column):
        return f"write `{column[1:]} desc`"
    name, _, direction = column.partition(" ")
    if re.fullmatch(_COLUMN, name) and direction:
        if pattern == _COLUMN:
            return "columns are separated by commas"
        word = _DIRECTIONS.get(direction.strip().casefold())
        return f"write `{name} {word}`" if word else f"write `{name} asc` or `{name} desc`"
    return "a column is its code, as in `Name`, or a path, as in `Account/Name`"


def _unheeded(key: str, fields: JsonObject, path: Path, texts: Texts) -> None:
    """A key that the step's action does not heed; beside `job` the schema refuses it."""
    action = defaults.action(fields)
    if action is None or action == "job":
        return
    if key == "retry" and not defaults.is_repeatable(fields):
        texts.report("E107", f"a `{action}` is never tried again", path, at_key=True, hint=_NOTHING, warning=True)
    if key == "verify" and not defaults.is_verified(fields):
        what = "`execute`, `run`, `cancel`, `signal` and named elements"
        message = f"`verify` is about {what}: for `{action}` it says nothing"
        texts.report("E107", message, path, at_key=True, hint=_NOTHING, warning=True)
