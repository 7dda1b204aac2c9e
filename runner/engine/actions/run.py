"""An attempt of a `run`: RunProcess answers with the process's id.

A status of done or error with an id is a verdict without a reading [M]. A running process is followed by its id, a
queued process, which has none yet, is found by the watermark.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from msgspec.structs import replace

from runner.engine import doubt, process_log, readings, start_bounds, starts
from runner.engine.answer import WHY_EMPTY, judged, parameters_of, process_failed
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.elements import RESULTS
from runner.engine.perform import pause
from runner.engine.process_log import LAST_LOOK, has_ended
from runner.engine.readings import Unread
from runner.engine.start import start
from runner.engine.state import OpenRow, Start
from runner.engine.verdict import NO_ROW_YET, by_status, parked, settling, started, started_again, strange_status
from runner.foundation.durations import format_duration
from runner.foundation.sentences import listed
from runner.foundation.values import EMPTY_GUID, Json, JsonObject, record
from runner.job.actions import Run
from runner.job.model import RetryOn, Until, Verify
from runner.runs.process_status import BEGUN, ENDED_BADLY, KNOWN
from runner.runs.status import Status
from runner.service.calls import LogRow, RunProcessCall, Version


def attempt_run(row: OpenRow) -> Running[Attempt]:
    """Start the step's process once and find out how that ended."""
    action = row.step.action
    assert isinstance(action, Run)
    parameters = parameters_of(row, action.parameters)
    call = RunProcessCall(process=action.process, parameters=parameters, results=action.results)
    if action.version is not None:
        named = yield from _in_version(row, call, action.version)
        if isinstance(named, Attempt):
            return named
        call = named
    needs_mark = row.step.verify is not Verify.NONE and (row.is_once or action.until is Until.DONE)
    outcome = yield from start(row, call, needs_mark=needs_mark, in_turn=False)
    if isinstance(outcome, Attempt):
        return outcome
    answer = record(outcome.value)
    results: Json = answer.get("results")
    found = yield from _answer_for_another_call(row, answer)
    if found is None:
        row.answer = (None if any(_nulls(action, results)) else results,)
        found = yield from _verdict(row, action, answer)
    if found.status is Status.PASSED and found.verified is True:
        found = (yield from _started_again(row, found)) or found
    row.in_doubt = False
    if found.status is not Status.PASSED:  # a process that failed is a failed step whatever its results are
        return replace(found, result=results, warnings=())
    return judged(row, results, found).warned(*_nulls(action, results), *_empty(action, results)).with_process(found)


def _in_version(row: OpenRow, call: RunProcessCall, number: int) -> Running[RunProcessCall | Attempt]:
    """The call of this version, which is found in the library; nothing was sent where it is not there."""
    with row.reading_until(row.t + row.attempt_seconds):
        for fresh in (False, True):
            known = yield from process_log.versions_of(row, call.process, fresh=fresh)
            found = [] if isinstance(known, Unread) else known.numbered(number)
            if found:
                break
    if len(found) > 1:
        message = (
            f"{len(found)} versions of `{call.process}` have the number {number}: {listed([m.code for m in found])}"
        )
        return not_passed("E224", message, "without `version` the active version runs", status=Status.ERROR)
    if found:
        return replace(call, version=Version(number=number, code=found[0].code, uid=found[0].uid))
    if isinstance(known, Unread):
        return Attempt(status=Status.ERROR, trouble=known.failure.trouble, again=RetryOn.NOT_SENT)
    if known.why_unread is not None:
        message = f"version {number} cannot be looked up: {known.why_unread}"
        return not_passed("E224", message, _LIBRARY, status=Status.ERROR)
    message = f"`{call.process}` has no version {number} on this site; nothing was started"
    return not_passed("E223", message, f"its versions are {known.numbers}", status=Status.ERROR)


def _answer_for_another_call(row: OpenRow, answer: JsonObject) -> Running[Attempt | None]:
    """The attempt, if the answer names a process that another call has started."""
    process_id, start = answer.get("process_id"), row.start
    assert start is not None
    if not isinstance(process_id, str):
        return None
    rows = [] if process_id in row.log.seen else [LogRow(id=process_id)]
    if rows:
        rows, _ = yield from starts.not_of_others(row, start.process, rows, keys=(row.key,), certain=True)
    if rows:
        row.log.called_at[process_id] = start.span.since
        starts.take(row, start.process, rows, makers=(start,))
        return None
    message = f"the answer names the process {process_id}, which another call has started"
    hint = "look at the process log of the site; something on the way may mix up answers"
    return not_passed("E215", message, hint, status=_unproved_status(row))


def _verdict(row: OpenRow, action: Run, answer: JsonObject) -> Running[Attempt]:
    status, process_id = str(answer.get("status")), answer.get("process_id")
    if not isinstance(process_id, str):
        if status == "queued":
            return (yield from _judge_queued(row, action))
        return _unproved(row, None, f"it was answered as `{status}`, without an id")
    if status == "done":
        done = Attempt(verified=True, process_id=process_id, process_status="done")
        return (yield from _by_answer(row, done, error=answer.get("error")))
    if status in ENDED_BADLY:
        return (yield from _judge_failed(row, process_id, status=status))
    if action.until is Until.DONE:
        return (yield from _judge_running(row, process_id, answered=status))
    if status not in BEGUN:
        return _unproved(row, process_id, f"it was answered as `{status}`, which is neither running nor ended")
    return (yield from _by_answer(row, started(process_id, expected=True), error=answer.get("error")))


def _started_again(row: OpenRow, known: Attempt) -> Running[Attempt | None]:
    """What the call comes to where the log shows more starts by it: a gateway may repeat a POST, too [D: haproxy]."""
    start = row.start
    assert start is not None
    is_asked = row.step.verify is Verify.LOG or row.first is not None or (row.reads_log and row.is_once)
    if not (is_asked and start.marked) or row.log.refusal is not None:
        return None
    row.known = known
    found = yield from doubt.search_log(row, start, last=False)
    row.known = None
    if isinstance(found, Unread):
        return None
    newest = row.log.newest.get(start.process)
    is_over = known.process_status == "done"
    if newest is not None and newest.id == known.process_id and is_over and newest.status in ENDED_BADLY:
        return process_failed(newest)
    if found.rival or starts.missing(row.log, start.process):
        return None  # or others may have made these rows
    if not found.rows:
        starts.move_watermark(row.log, start.process, None if newest is None else newest.started)
        return None
    own = LogRow(id=str(known.process_id), status=known.process_status)
    return started_again(row, [own, *found.rows])


def _by_answer(row: OpenRow, answered: Attempt, *, error: Json) -> Running[Attempt]:
    """The answer is a verdict, unless it holds an error beside it."""
    if row.step.verify is Verify.LOG or (error is not None and row.step.verify is not Verify.NONE):
        return (yield from _confirmed(row, answered, error=error))
    if error is None:
        return answered
    shown = "" if row.step.secret else f": {error}"
    return replace(answered, verified=None).warned(f"not verified: the answer holds an error, too{shown}")


def _confirmed(row: OpenRow, answered: Attempt, *, error: Json) -> Running[Attempt]:
    """The answer is a verdict, unless it holds an error, or `verify: log` wants the row in the log to say it, too."""
    process_id, is_done = str(answered.process_id), answered.process_status == "done"
    found = yield from _shown(row, process_id, until=has_ended if is_done else lambda _: True, pauses=settling(row))
    if isinstance(found, str):
        message = f"not verified: the service answered `{answered.process_status}`, and {found}"
        hint = "see whether the process log is on for this process, and whether the user sees its rows"
        hint += "; `verify: auto` passes such a call" if row.step.verify is Verify.LOG and error is None else ""
        return replace(not_passed("E208", message, hint, status=_unproved_status(row)), process_id=process_id)
    if found.status not in KNOWN:
        return _unproved(row, process_id, strange_status(found.status))
    status = str(found.status)
    if status in ENDED_BADLY:
        return process_failed(found)
    if is_done and status != "done":
        return _unproved(row, process_id, f"it was answered as `done`, and is `{status}` in the process log")
    return replace(answered, process_status=status)


def _shown(
    row: OpenRow, process_id: str, *, until: Callable[[LogRow], bool], pauses: Iterable[float] = ()
) -> Running[LogRow | str]:
    """The row of the process, or why there is none. It is read again for a second, then after each of the `pauses`."""
    if row.log.refusal is not None:
        return f"the process log cannot be read: {row.log.refusal.trouble.message}"
    for seconds in chain(NO_ROW_YET, pauses, (None,)):
        found = yield from process_log.row_of(row, process_id)
        if isinstance(found, LogRow) and found.parent is not None:
            return "the process log shows it as a part of another process"
        if isinstance(found, Unread):
            is_over = readings.is_for_good(found.failure)
        else:
            is_over = found is not None and until(found)
        if seconds is None or is_over:
            break
        yield from pause(row, seconds)
    if isinstance(found, Unread):
        return f"the process log could not be read: {found.failure.trouble.message}"
    return "the process log shows no row of it" if found is None else found


def _judge_failed(row: OpenRow, process_id: str, *, status: str) -> Running[Attempt]:
    """The answer's own text is generic; the log has the real reason [M]."""
    found: LogRow | str = ""
    if row.reads_log:
        row.known = process_failed(LogRow(id=process_id, status=status))
        found = yield from _shown(row, process_id, until=has_ended)
        row.known = None
    if isinstance(found, LogRow):
        return process_failed(LogRow(id=process_id, status=status, error=found.error))
    row.log.failed[process_id] = "" if row.start is None else row.start.process
    return process_failed(LogRow(id=process_id, status=status), why=found or "the process log is not read")


def _judge_running(row: OpenRow, process_id: str, *, answered: str = "running") -> Running[Attempt]:
    then = "it still ran when the call was answered"
    if answered not in BEGUN:
        then = f"its answer has `{answered}` in the place of the number of a status"
    if not row.reads_log:
        return _unproved(row, process_id, f"{then}, and the process log is not read")
    row.process_id = process_id
    yield from pause(row, min(process_log.FIRST_LOOK, row.step.follow))
    settle = row.state.run.plan.times.settle
    found = yield from process_log.follow(row, process_id, process_log.step_looks(row), until=has_ended, settle=settle)
    if isinstance(found, Unread) or found is None:
        why = (
            f"and the log does not show it after {format_duration(settle)}"
            if found is None
            else f"and the log: {found.failure.trouble.message}"
        )
        return _unproved(row, process_id, f"{then}, {why}")
    known = by_status(row, found, until=Until.DONE)
    if known is None:
        return _unproved(row, process_id, strange_status(found.status))
    return (yield from parked(row, known))


def _judge_queued(row: OpenRow, action: Run) -> Running[Attempt]:
    """It waits in the background. Its row appears when it begins; until then nothing can be followed."""
    follow = row.step.follow
    assert row.start is not None
    start = start_bounds.queued(row.log, row.start)
    if action.until is Until.STARTED and row.step.verify is not Verify.LOG:
        return Attempt(process_status="queued").warned("not verified: the process is queued, and has no id yet")
    if not start.marked:
        return _unproved(row, None, "it is queued, and the process log cannot be read")
    looks = process_log.step_looks(row)
    while not looks.is_over(row):
        found = yield from doubt.search_log(row, start, last=looks.next == LAST_LOOK)
        if isinstance(found, doubt.FoundRows) and found.rows:
            return (yield from _begun(row, start, found.rows))
        yield from looks.wait(row)
    less = starts.weak_absence(row.log, start)
    why = f"it was queued, and has not begun within {format_duration(follow)}{f'; {less}' if less else ''}"
    return _unproved(row, None, why)


def _begun(row: OpenRow, start: Start, rows: list[LogRow]) -> Running[Attempt]:
    """What was queued has begun, if the row is its own: that is inferred, as for a call that was not answered."""
    if (why := doubt.why_not(row, start, rows)) is not None:
        return _unproved(row, None, f"it was queued, and {why}")
    left, rival = yield from starts.not_of_others(row, start.process, rows, keys=(row.key,))
    if rival or not left:
        return _unproved(row, None, "it was queued, and what began since may be the start of another run")
    starts.take(row, start.process, rows, makers=(start,))
    found = yield from _judge_running(row, rows[0].id)
    return doubt.inferred(replace(found, warnings=())) if found.verified is True else found


_LIBRARY = "give the integration user the right to read `VwProcessLib`; nothing was started"


def _unproved(row: OpenRow, process_id: str | None, why: str) -> Attempt:
    assert isinstance(row.step.action, Run)
    hint = "look at the process log of the site" if row.step.action.results else RESULTS
    if process_id is not None:
        hint = "`until: started` does not wait for the end; a `wait` step can follow the process later"
    message = f"nothing shows how the process ended: {why}"
    return replace(not_passed("E208", message, hint, status=_unproved_status(row)), process_id=process_id)


def _unproved_status(row: OpenRow) -> Status:
    return Status.UNKNOWN if row.is_once else Status.ERROR


def _nulls(action: Run, results: Json) -> Iterator[str]:
    """A warning for each result that was asked for and is not there."""
    values = record(results)
    for name in action.results:
        if values.get(name) is None:
            yield f"`{name}` is null; the process has ended without a value for it, or still runs"


def _empty(action: Run, results: Json) -> Iterator[str]:
    values = record(results)
    return (f"`{name}` is {WHY_EMPTY}" for name in action.results if values.get(name) == EMPTY_GUID)
