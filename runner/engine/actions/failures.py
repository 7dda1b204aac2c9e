"""A `failures`: watches the process log, and fails as soon as it shows more failed instances than are allowed.

Whatever keeps the failures from being counted is an error: a log, or a library of processes, that cannot be read; a
pattern that no process matches. All owners count, and the versions of a process count as that process.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Pause, Running
from runner.engine.following import GROWTH
from runner.engine.perform import perform
from runner.engine.records import read_records
from runner.engine.state import Moment, OpenRow, State
from runner.expressions.evaluate import EvaluationError
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.job.actions import Failures
from runner.job.actions.failures import SINCE_RUN
from runner.job.model import Step
from runner.runs.events import Status, Trouble
from runner.service import failed_rows
from runner.service.calls import CallFailed, FailureKind, QueryCall

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 10.0
"""Seconds between two looks, growing from the first to the last."""
_SHOWN = 5
_COLUMN_REFUSED = frozenset({400, 500, 501})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """What is counted: instances of the processes that match, failed since `moment`. `key` is that of the step's row.

    `roots` is the code of a process's family by the id of a schema; empty for a schema that the library does not show.
    """

    key: str
    action: Failures
    moment: Moment
    roots: dict[str, str]


def attempt_failures(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Look again and again until too many have failed, or the time to watch is over."""
    action = step.action
    assert isinstance(action, Failures)
    moment = _moment(state, row, action)
    if isinstance(moment, Trouble):
        return _error(moment)
    watch = yield from _watch(state, row.key, action, moment)
    if isinstance(watch, Trouble):
        return _error(watch)
    return (yield from _watched(state, row, step, watch))


def _watched(state: State, row: OpenRow, step: Step, watch: _Watch) -> Running[Attempt]:
    """A look that fails for a while, as while a site restarts, is made up for by the next; the last must not fail."""
    deadline, pause = state.t + watch.action.seconds, FIRST_PAUSE
    while True:
        found = yield from _failed(state, watch)
        if isinstance(found, list) and len(found) > watch.action.at_most:
            return _too_many(step, watch.action, found)
        if isinstance(found, CallFailed) and (found.final or found.kind is FailureKind.REFUSED):
            return _error(_unread("the process log", found))
        if state.t >= deadline:
            break
        yield from perform(state, Pause(key=row.key, seconds=min(pause, deadline - state.t)))
        pause = min(pause * GROWTH, LONGEST_PAUSE)
    if isinstance(found, CallFailed):
        return _error(_unread("the process log", found))
    return judged(state, row, step, _result(found))


def _moment(state: State, row: OpenRow, action: Failures) -> Moment | Trouble:
    """Since when failures count. Raises `EvaluationError`."""
    since = state.names.text(action.since, f"{row.key}.since")
    if (seconds := server_time.of_record(since)) is not None:
        return Moment(since=server_time.written(seconds))
    if "{{" in action.since:
        raise EvaluationError(f"`since` gives `{since[:60]}`, which is no moment with a time zone")
    known = state.run.began if since == SINCE_RUN else state.moments.get(since)
    if isinstance(known, Moment):
        return known
    if known is None:
        return Trouble(code="E219", message=f"the failures cannot be counted: step `{since}` was not carried out")
    began = "the run" if since == SINCE_RUN else f"step `{since}`"
    return _unread(f"the process log, when {began} began,", known)


def _watch(state: State, key: str, action: Failures, moment: Moment) -> Running[_Watch | Trouble]:
    """Which schemas to count. A pattern that matches nothing would make a step pass that watches nothing."""
    library = yield from _library(state, key)
    if isinstance(library, CallFailed):
        return _unread("the library of processes (VwProcessLib)", library)
    watch = _Watch(key=key, action=action, moment=moment, roots=failed_rows.roots(library))
    codes = frozenset(watch.roots.values())
    for pattern in action.processes:
        if not any(fnmatchcase(code, pattern) for code in codes):
            message = f"the failures cannot be counted: the site shows no process `{pattern}`"
            hint = "check the code, and that the user may read VwProcessLib; a version counts by the code of its root"
            return Trouble(code="E219", message=message, hint=hint)
    return watch


def _library(state: State, key: str) -> Running[list[JsonObject] | CallFailed]:
    library = yield from read_records(state, key, failed_rows.LIBRARY)
    if isinstance(library, CallFailed) and library.status in _COLUMN_REFUSED:
        everything = QueryCall(entity=failed_rows.LIBRARY.entity, top=failed_rows.LIBRARY.top)
        library = yield from read_records(state, key, everything)
    return library


def _failed(state: State, watch: _Watch) -> Running[list[JsonObject] | CallFailed]:
    """The failed instances that count. A process that came after the library was read is looked up in a fresh one."""
    rows = yield from read_records(state, watch.key, failed_rows.failed_since(watch.moment.since))
    if isinstance(rows, CallFailed):
        return rows
    if len(rows) >= failed_rows.MOST:
        trouble = Trouble(code="E219", message=f"it shows {len(rows)} failures or more: too many to look through")
        return CallFailed(kind=FailureKind.REFUSED, trouble=trouble)
    rows = [row for row in rows if failed_rows.key(row) not in watch.moment.seen]
    roots = watch.roots
    if not all(failed_rows.schema(row) in roots for row in rows):
        library = yield from _library(state, watch.key)
        if isinstance(library, CallFailed):
            return library
        roots.update(dict.fromkeys(map(failed_rows.schema, rows), "") | roots | failed_rows.roots(library))
    named = [(row, roots[failed_rows.schema(row)]) for row in rows]
    return [failed_rows.shown(row, code) for row, code in named if _counts(code, watch.action)]


def _counts(code: str, action: Failures) -> bool:
    return any(fnmatchcase(code, pattern) for pattern in action.processes)


def _result(found: list[JsonObject]) -> JsonObject:
    return {"count": len(found), "failed": [*found]}


def _too_many(step: Step, action: Failures, found: list[JsonObject]) -> Attempt:
    """A step that is secret shows no reasons: they may hold anything."""
    shown = [_in_words(row, secret=step.secret) for row in found[:_SHOWN]]
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    since = "the run began" if action.since == SINCE_RUN else action.since
    message = f"{len(found)} failed since {since}, and {action.at_most} may: {'; '.join(shown)}{more}"
    return Attempt(status=Status.FAILED, result=_result(found), trouble=Trouble(code="E218", message=message))


def _in_words(row: JsonObject, *, secret: bool) -> str:
    reason = str(row["error"] or "the log gives no reason").partition("\n")[0].strip()[:200]
    return f"`{row['process']}` ({row['name']}, {row['id']})" + ("" if secret else f": {reason}")


def _unread(what: str, failure: CallFailed) -> Trouble:
    message = f"the failures cannot be counted: {what} could not be read: {failure.trouble.message}"
    return Trouble(code="E219", message=message, hint=failure.trouble.hint)


def _error(trouble: Trouble) -> Attempt:
    return Attempt(status=Status.ERROR, trouble=trouble)
