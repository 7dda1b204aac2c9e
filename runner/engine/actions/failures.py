"""A `failures`: watches the process log, and fails when it shows more failed instances than are allowed.

They count since a moment. What had failed by then, in the hour before the newest row, is remembered by its id, so that
no clock matters. What cannot be counted is an error: a log or library that cannot be read, a pattern that no process
matches, an unknown process. All owners and all versions count.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.perform import Backoff
from runner.engine.process_log import new_rows
from runner.engine.readings import read_records
from runner.engine.starts import AHEAD, missing, settle_missing
from runner.engine.state import Moment, OpenRow
from runner.expressions.evaluate import EvaluationError
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.job.actions import Failures
from runner.job.actions.failures import SINCE_RUN
from runner.runs.events import Trouble
from runner.runs.status import Status
from runner.service import failed_rows
from runner.service.calls import CallFailed, FailureKind, QueryCall
from runner.service.words import first_line, short_line

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 10.0  # seconds between two looks, growing from the first to the last
_SHOWN = 5
_COLUMN_REFUSED = frozenset({400, 500, 501})
_NOT_COUNTED = "the failures cannot be counted"
_OTHER_TIMES = (
    "not verified: the process log has other times than the answers of the site; write `since: run` or a step"
)
_NO_ROW_YET = "not verified: the process log shows no row yet of what this run started"
_BY_ANSWER = "the answer to its start says so, and the process log shows no row of it so far"
_NAMELESS = "a process that the library of processes does not show"
_READ_ALL = 'give the user the right to read all of VwProcessLib, or count all: `processes: ["*"]`'


class _Watch(Struct, frozen=True, kw_only=True):
    """What is counted: instances of the processes that match, failed since `moment`."""

    action: Failures
    moment: Moment
    roots: dict[str, str]  # the code of the root by the id of a schema; empty where unknown

    def counts(self, code: str) -> bool:
        return any(fnmatchcase(code, pattern) for pattern in self.action.processes)


def keep_moments(row: OpenRow) -> Running[None]:
    """Read the moment at which `row` begins, where a `failures` counts since then."""
    state, step = row.state, row.step
    is_first = SINCE_RUN in state.run.plan.job.moments and state.run.began is None
    is_asked_for = step.id is not None and step.id in state.job.moments and not row.index
    if not is_first and not is_asked_for:
        return
    with row.reading_until(row.t + row.attempt_seconds):
        moment = yield from _now(row)
    if is_first:
        state.run.began = moment
    if is_asked_for and step.id is not None:
        state.moments[step.id] = moment


def _now(row: OpenRow) -> Running[Moment | CallFailed]:
    newest = yield from read_records(row, failed_rows.NEWEST)
    if isinstance(newest, CallFailed):
        return newest
    since = failed_rows.look_from(newest, now=row.log.server_time(row.t))
    failed = yield from read_records(row, failed_rows.failed_since(since))
    if isinstance(failed, CallFailed):
        return failed
    if len(failed) >= failed_rows.MOST:
        return _too_many_rows(failed)
    unshown = row.log.failed.keys() - set(map(failed_rows.key, failed))
    return Moment(since=since, seen=frozenset({*map(failed_rows.failure, failed), *unshown}))


def attempt_failures(row: OpenRow) -> Running[Attempt]:
    """Look again and again until too many have failed, or the time to watch is over."""
    action = row.step.action
    assert isinstance(action, Failures)
    moment = _moment(row, action)
    watch = moment if isinstance(moment, Trouble) else (yield from _watch(row, action, moment))
    if isinstance(watch, Trouble):
        return Attempt(status=Status.ERROR, trouble=watch)
    looks = Backoff(next=FIRST_PAUSE, longest=LONGEST_PAUSE, deadline=row.t + action.seconds)
    while True:  # a look that fails for a while, as while a site restarts, is made up for by the next
        found = yield from _failed(row, watch)
        if isinstance(found, list) and len(found) > action.at_most:
            return _too_many(row, action, found)
        is_over = looks.is_over(row)
        if isinstance(found, CallFailed) and (is_over or found.final or found.kind is FailureKind.REFUSED):
            return Attempt(status=Status.ERROR, trouble=_unread("the process log", found))
        if is_over and isinstance(found, list):
            late = yield from _late_rows(row, watch)
            if late is not None:
                return judged(row, _result(found)).warned(*_less(row, action, late))
        else:
            yield from looks.wait(row)


def _late_rows(row: OpenRow, watch: _Watch) -> Running[list[str] | None]:
    """The processes of this run that have no row in the log yet; None where a row has appeared."""
    late = []
    for process in list(row.log.missing):
        waiting = [start for start in missing(row.log, process) if start.marked]
        if waiting and watch.counts(process):
            rows = yield from new_rows(row, waiting[0], last=False)
            if isinstance(rows, list):
                yield from settle_missing(row, process, rows, among=waiting)
            if len(missing(row.log, process)) < len(waiting):
                return None
            late.append(process)
    return late


def _less(row: OpenRow, action: Failures, late: list[str]) -> Iterator[str]:
    """What the log cannot say."""
    if row.log.clocks_differ and _is_written(row, action):
        yield _OTHER_TIMES
    if late:
        yield f"{_NO_ROW_YET}: {', '.join(late)}; a longer `for` gives it time"


def _is_written(row: OpenRow, action: Failures) -> bool:
    """Whether `since` is a moment, and not that at which the run or a step began, by the log's own times."""
    return server_time.parse_record(row.text(action.since, "since")) is not None


def _moment(row: OpenRow, action: Failures) -> Moment | Trouble:
    """Since when failures count. Raises `EvaluationError`."""
    since = row.text(action.since, "since")
    if (seconds := server_time.parse_record(since)) is not None:
        return Moment(since=server_time.odata_time(seconds))
    if "{{" in action.since:
        message = f"`since` gives `{short_line(since)}`, which is no moment with a time zone"
        raise EvaluationError(message, hint="give a moment like `2026-12-31T18:00:00Z`")
    known = row.state.run.began if since == SINCE_RUN else row.state.moments.get(since)
    if isinstance(known, Moment):
        return known
    if known is None:
        return Trouble(code="E219", message=f"{_NOT_COUNTED}: step `{since}` was not carried out")
    began = "the run" if since == SINCE_RUN else f"step `{since}`"
    return _unread(f"the process log, when {began} began,", known)


def _watch(row: OpenRow, action: Failures, moment: Moment) -> Running[_Watch | Trouble]:
    """Which schemas to count. A pattern that matches nothing would make a step pass that watches nothing."""
    library = yield from _library(row)
    if isinstance(library, CallFailed):
        return _unread("the library of processes (VwProcessLib)", library)
    watch = _Watch(action=action, moment=moment, roots=failed_rows.roots(library))
    codes = frozenset(watch.roots.values())
    for pattern in action.processes:
        if not any(fnmatchcase(code, pattern) for code in codes):
            hint = "check the code, and that the user may read VwProcessLib; a version counts by the code of its root"
            return Trouble(code="E219", message=f"{_NOT_COUNTED}: the site shows no process `{pattern}`", hint=hint)
    return _in_future(row, action, moment) or watch


def _in_future(row: OpenRow, action: Failures, moment: Moment) -> Trouble | None:
    """Why nothing can fail since a moment that is after the end of the watch, by the clock of the site."""
    now, since = row.log.server_time(row.t), server_time.parse_record(moment.since or "")
    if now is None or since is None or since <= now + action.seconds + AHEAD:
        return None
    message = (
        f"{_NOT_COUNTED}: `since` is {moment.since}, and the clock of the site shows {server_time.odata_time(now)}"
    )
    return Trouble(code="E219", message=message, hint="write a moment that is over, or `since: run`")


def _library(row: OpenRow) -> Running[list[JsonObject] | CallFailed]:
    library = yield from read_records(row, failed_rows.LIBRARY)
    if isinstance(library, CallFailed) and library.status in _COLUMN_REFUSED:
        everything = QueryCall(entity=failed_rows.LIBRARY.entity, top=failed_rows.LIBRARY.top)
        library = yield from read_records(row, everything)
    if isinstance(library, list) and len(library) >= failed_rows.MOST:
        return _cannot_count(f"it lists {len(library):,} processes or more: too many to look through")
    return library


def _cannot_count(why: str, hint: str | None = None) -> CallFailed:
    return CallFailed(kind=FailureKind.REFUSED, trouble=Trouble(code="E219", message=why, hint=hint))


def _too_many_rows(rows: list[JsonObject]) -> CallFailed:
    return _cannot_count(f"it shows {len(rows)} failures or more: too many to look through")


def _failed(row: OpenRow, watch: _Watch) -> Running[list[JsonObject] | CallFailed]:
    """The failed instances that count. A process that came after the library was read is read by itself."""
    rows = yield from read_records(row, failed_rows.failed_since(watch.moment.since))
    if isinstance(rows, CallFailed):
        return rows
    if len(rows) >= failed_rows.MOST:
        return _too_many_rows(rows)
    by_failure = {failed_rows.failure(failed): failed for failed in rows}  # an answer may show a row twice
    rows = [each for failure, each in by_failure.items() if not {failure, failed_rows.key(each)} & watch.moment.seen]
    roots = watch.roots
    if not all(failed_rows.schema(failed) in roots for failed in rows):
        library = yield from _library(row)
        if isinstance(library, CallFailed):
            return library
        roots.update(dict.fromkeys(map(failed_rows.schema, rows), "") | roots | failed_rows.roots(library))
    named = [(failed, roots[failed_rows.schema(failed)]) for failed in rows]
    shown = [failed_rows.shown(failed, code) for failed, code in named if watch.counts(code)]
    known = {each["id"] for each in shown} | {failure.partition(" ")[0] for failure in watch.moment.seen}
    own = {id_: code for id_, code in row.log.failed.items() if id_ not in known and watch.counts(code)}
    shown += [
        failed_rows.shown({"Id": id_, "Name": code, "ErrorDescription": _BY_ANSWER}, code) for id_, code in own.items()
    ]
    nameless = next((failed for failed, code in named if not code and not watch.counts(code)), None)
    if nameless is not None and len(shown) <= watch.action.at_most:
        return _cannot_count(f"it shows a failed instance, {failed_rows.key(nameless)}, of {_NAMELESS}", _READ_ALL)
    return shown


def _result(found: list[JsonObject]) -> JsonObject:
    return {"count": len(found), "failed": [*found]}


def _too_many(row: OpenRow, action: Failures, found: list[JsonObject]) -> Attempt:
    """A step that is secret shows no reasons: they may hold anything."""
    shown = [_in_words(failed, secret=row.step.secret) for failed in found[:_SHOWN]]
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    since = "the run began" if action.since == SINCE_RUN else row.text(action.since, "since")
    message = f"{len(found)} failed since {since}; `at_most` is {action.at_most}: {'; '.join(shown)}{more}"
    return Attempt(status=Status.FAILED, result=_result(found), trouble=Trouble(code="E218", message=message))


def _in_words(failed: JsonObject, *, secret: bool) -> str:
    reason = first_line(str(failed["error"] or "the log gives no reason"))
    process = f"`{failed['process']}`" if failed["process"] else _NAMELESS
    return f"{process} ({failed['name']}, {failed['id']})" + ("" if secret else f": {reason}")


def _unread(what: str, failure: CallFailed) -> Trouble:
    message = f"{_NOT_COUNTED}: {what} could not be read: {failure.trouble.message}"
    return Trouble(code="E219", message=message, hint=failure.trouble.hint)
