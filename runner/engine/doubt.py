"""A call that must not happen twice and was not answered: it is looked for in the process log, and never repeated.

Absence is no proof: a row may appear only when the call returns [S], a request may still queue, rows may be hidden by
rights. So a call of which the log shows no start stays in doubt, and only a person's word lets it be sent again.
A start that is found is taken for ours where it is the only one and of our own owner; that is inferred, since another
program may share the account. The log gives a status, never the result.
"""

from collections.abc import Sequence
from dataclasses import replace

from runner.engine import process_log, starts
from runner.engine.answer import judged
from runner.engine.attempt import Attempt, in_doubt
from runner.engine.effects import Pause, Running
from runner.engine.following import Looks, follow, has_ended
from runner.engine.lost import needs_result
from runner.engine.perform import judge, note, perform
from runner.engine.process_log import Unread
from runner.engine.state import OpenRow, Start, State
from runner.engine.verdict import FIRST_LOOK, LAST_LOOK, failed, going_on, still_running
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.job.actions import Execute, Run, Signal
from runner.job.model import Step, Until, Verify
from runner.runs.events import AttemptFailed, Status, Trouble
from runner.service.calls import CallFailed, FailureKind

INFERRED = "inferred"
NOT_CERTAIN = "inferred: another program with the same account could have made this start at the same time"
SECOND_READING = 0.2
"""The share of the target's `settle` after which the log is read the second time; the third is at its end."""
AT_ONCE: tuple[float, ...] = (0.0,)


def settled(state: State, row: OpenRow, step: Step, *, cause: Trouble) -> Running[Attempt]:
    """What became of the call that `row` has just sent and that was not answered, as far as the log tells."""
    last = state.run.plan.settle
    row.unanswered = True
    return (yield from _looked_for(state, row, step, cause=cause, moments=(0.0, SECOND_READING * last, last)))


def judged_by_person(state: State, row: OpenRow, step: Step, unknown: Attempt) -> Running[Attempt | None]:
    """Ask how a row in doubt is to be taken; None where a person wants the call to be repeated.

    Not so where the run is being closed: it is not left half way, and asks at its end.
    """
    last = unknown
    row.process_id = row.process_id or unknown.process_id
    if state.run.cleanup_ends is not None:
        return last
    told: Trouble | None = None
    refused = False
    while last.status is Status.UNKNOWN:
        if told != (trouble := last.trouble or _NOBODY_KNOWS):
            told = trouble
            yield from note(AttemptFailed(key=row.key, t=state.t, kind="in_doubt", error=trouble))
        answer = yield from judge(state, (row,), ended=False, refused=refused)
        refused = False
        match answer.get("as"):
            case "retry" if answer.get("even_though") is not True and (why := (yield from _shown_by_now(state, row))):
                last = _not_repeated(_cause(last), why)
                refused = True
            case "retry":
                starts.never_began(state, row.key)
                row.in_doubt = row.unanswered = False
                row.process_id = row.turned_away = None
                row.shown = ()
                return None
            case "passed" | "failed":
                last = as_told(state, row, step, answer)
            case "log":
                last = yield from looked_for_again(state, row, step, last)
            case _:
                return last
    row.in_doubt = False
    return last


def _not_repeated(cause: Trouble, why: str) -> Attempt:
    message = f"it may or may not have happened: {cause.message}; the process log {why}, so that it was not sent again"
    trouble = Trouble(code="E403", message=message, hint=_EVEN_THOUGH)
    return Attempt(status=Status.UNKNOWN, trouble=trouble, cause=cause)


def _shown_by_now(state: State, row: OpenRow) -> Running[str | None]:
    """What the log shows of a call that a person wants to be repeated; None where it shows nothing, or is not read."""
    known = (row.process_id,) if row.process_id is not None else row.shown
    start = row.sought or row.start
    if not known and start is not None and state.log.refusal is None:
        rows = yield from candidates(state, row, start, last=True)
        if isinstance(rows, Unread):
            return None if rows.failure is _UNBOUNDED or state.log.refusal else "could not be read"
        known = tuple(str(one["id"]) for one in rows)
    if not known:
        return None
    what = "a start" if len(known) == 1 else f"{len(known)} starts"
    return f"shows {what} that may be it: {', '.join(known[:_NAMED])}"


def looked_for_again(state: State, row: OpenRow, step: Step, unknown: Attempt) -> Running[Attempt]:
    """The same row after one more look at the log; as it was where nothing can be looked for."""
    if row.look_again is not None:
        return (yield from row.look_again(state, row, step, unknown))
    if state.log.refusal is not None:
        return unknown
    if row.process_id is not None:
        read = yield from process_log.row_of(state, row.key, row.process_id)
        return _of_row(state, row, step, read) if isinstance(read, dict) else unknown
    if row.sought is None:
        return unknown
    return (yield from _looked_for(state, row, step, cause=_cause(unknown), moments=AT_ONCE))


def as_told(state: State, row: OpenRow, step: Step, answer: JsonObject) -> Attempt:
    """The row as a person says that it ended. A result that they hand in is judged like any other."""
    if answer.get("as") == "failed":
        trouble = Trouble(code="E213", message="somebody looked at the site and said that it failed")
        return Attempt(status=Status.FAILED, trouble=trouble)
    told: JsonObject = {"process_status": "done", "process_id": None}
    warning = "that it passed is what somebody said who looked at the site"
    if "result" in answer:
        asked_for = step.action if isinstance(step.action, Execute) else None
        attempt = judged(state, row, step, answer["result"], seen=told, null_matters=asked_for)
        return attempt.of_process(None, status="done", verified=None, warning=warning)
    if needs_result(state.job, row.whole or step):
        return Attempt(status=Status.UNKNOWN, trouble=lost())
    return _without_result(state, row, step, told).of_process(None, status="done", verified=None, warning=warning)


def passed_without_result(state: State, row: OpenRow, step: Step) -> Attempt:
    """The row that is known to have passed, and whose answer was lost: in doubt still where its result is needed."""
    if needs_result(state.job, step):
        return Attempt(status=Status.UNKNOWN, trouble=lost())
    return _without_result(state, row, step, {"process_status": None, "process_id": None})


def lost(process_id: str | None = None) -> Trouble:
    known = f" as process {process_id}" if process_id is not None else ""
    message = f"it happened{known}, but its answer was lost, and this job needs the result"
    hint = "who knows the result hands it in: `resume --step KEY --as passed --result JSON`"
    return Trouble(code="E402", message=message, hint=hint)


def candidates(state: State, row: OpenRow, start: Start, *, last: bool) -> Running[list[JsonObject] | Unread]:
    """The rows of the log that may be made by `start`, without those that other calls own; `last` as in `new_rows`."""
    if not start.marked and starts.span_of(state.log, start).since is None:
        return Unread(_UNBOUNDED)
    rows = yield from process_log.new_rows(state, row.key, start, last=last)
    if isinstance(rows, Unread):
        return rows
    rows = [one for one in rows if starts.may_be_of(state.log, start, one)]
    if not rows:
        return []
    rows, _ = yield from starts.of_no_other(state, row.key, start.process, rows, keys=None)
    return rows


def _looked_for(
    state: State, row: OpenRow, step: Step, *, cause: Trouble, moments: Sequence[float]
) -> Running[Attempt]:
    """Read the log at these moments, in seconds from now, until it shows a start that may be ours."""
    row.in_doubt = True
    if row.sought is None or state.log.refusal is not None:
        return in_doubt(cause, why="the process log is not read")
    begun, why = state.t, "the process log could not be read"
    for moment in moments:
        if state.t < begun + moment:
            yield from perform(state, Pause(key=row.key, seconds=begun + moment - state.t))
        rows = yield from candidates(state, row, row.sought, last=moment == moments[-1])
        if isinstance(rows, Unread):
            if process_log.is_for_good(rows.failure):
                break
            continue
        if rows:
            return (yield from _of_candidates(state, row, step, rows=rows, cause=cause))
        less = starts.why_less(state.log, row.sought)
        why = f"the process log shows no start of it, which proves nothing{f'; {less}' if less else ''}"
    return in_doubt(cause, why=why)


def _of_candidates(
    state: State, row: OpenRow, step: Step, *, rows: list[JsonObject], cause: Trouble
) -> Running[Attempt]:
    """What the rows come to that may be those of the call: only one that nobody else can have made is its own."""
    start = row.sought
    assert start is not None
    if (why := why_not(state, row, step, start, rows=rows)) is not None:
        return in_doubt(cause, why=why)
    left, rival = yield from starts.of_no_other(state, row.key, start.process, rows, keys=(row.key,))
    if rival or not left:
        why = "the process log shows a start that another run may have made"
        return in_doubt(cause, why=why)
    found = rows[0]
    own = tuple(one for one in starts.missing(state, start.process) if one.key == row.key)[-1:]
    starts.take(state, start.process, rows, makers=own)
    row.process_id = str(found["id"])
    row.unanswered = True  # also where it was answered: that this row is its own is inferred
    if found["status"] == "running" and _waits_for_end(step):
        yield from perform(state, Pause(key=row.key, seconds=min(FIRST_LOOK, step.follow)))
        looks = Looks(first=FIRST_LOOK, longest=LAST_LOOK, deadline=state.t + step.follow)
        read = yield from follow(state, row.key, str(found["id"]), looks=looks, until=has_ended)
        found = read if isinstance(read, dict) else found
    attempt = _of_row(state, row, step, found)
    row.in_doubt = attempt.status is Status.UNKNOWN
    return attempt


def why_not(state: State, row: OpenRow, step: Step, start: Start, *, rows: list[JsonObject]) -> str | None:
    """Why none of the rows is taken for the call's own; None where one is."""
    if len(rows) > 1:
        return f"the process log shows {len(rows)} starts that may be it"
    found = rows[0]
    others = [one for one in starts.missing(state, start.process) if one.key != row.key]
    if any(starts.may_be_of(state.log, other, found) for other in others):
        return "the process log shows a start that may be that of another step, whose row has not come"
    if not starts.can_be_inferred(state.log, start, found, t=state.t):
        return f"the process log shows a start, {found['id']}, and nothing tells whether it began in time to be it"
    if state.log.owner is None or found.get("owner") is None:
        return "the process log shows one start, and does not tell whether it is ours"
    if step.verify is Verify.LOG:
        shown = f"{found['id']}, {found['status']}"
        return f"the process log shows one start that may be it ({shown}), and `verify: log` takes no guess"
    return None


def _of_row(state: State, row: OpenRow, step: Step, found: JsonObject) -> Attempt:
    """The attempt as the one start tells it that was taken for ours, with the time that the process took."""
    attempt = _as_shown(state, row, step, found, seconds=(seconds := _seconds(found)))
    return replace(attempt, seconds=seconds)


def _seconds(found: JsonObject) -> float | None:
    began, ended = (server_time.of_record(str(found.get(name))) for name in ("started", "completed"))
    return None if began is None or ended is None else round(max(0.0, ended - began), 6)


def _as_shown(state: State, row: OpenRow, step: Step, found: JsonObject, *, seconds: float | None) -> Attempt:
    status, process_id = str(found["status"]), str(found["id"])
    seen: JsonObject = {"process_status": status, "process_id": process_id}
    if seconds is not None:
        seen["seconds"] = round(seconds, 3)
    if status in ("error", "cancelled"):
        verdict = failed(found, process_id)
        attempt = Attempt(status=Status.FAILED, trouble=verdict.trouble, failed_row=verdict.failed_row)
        return attempt.of_process(process_id, status=status, verified=INFERRED if row.unanswered else False)
    if status == "running" and _waits_for_end(step):
        verdict = still_running(step, process_id)
        return Attempt(status=Status.UNKNOWN, trouble=verdict.trouble, process_id=process_id, process_status=status)
    if status not in ("done", "running"):
        trouble = Trouble(
            code="E208", message=f"the process log shows the status {status}, which is none that is known"
        )
        return Attempt(status=Status.UNKNOWN, trouble=trouble, process_id=process_id)
    if needs_result(state.job, step):
        return Attempt(status=Status.UNKNOWN, trouble=lost(process_id), process_id=process_id, process_status=status)
    attempt = _without_result(state, row, step, seen)
    is_asked_for = not isinstance(step.action, Execute) or step.action.result is not None
    warning = going_on(process_id, expected=is_asked_for).warning if status == "running" else None
    attempt = attempt.of_process(process_id, status=status, verified=True, warning=warning)
    return inferred(attempt) if row.unanswered else attempt


def inferred(attempt: Attempt) -> Attempt:
    """The attempt of which the log does not say for certain that the row is its own."""
    return replace(attempt, verified=INFERRED, warnings=(*attempt.warnings, NOT_CERTAIN))


def _without_result(state: State, row: OpenRow, step: Step, seen: JsonObject) -> Attempt:
    """Judge by what does not need the result. It stays unknown to later steps: it is lost, not null."""
    attempt = judged(state, row, step, None, seen=seen)
    return replace(attempt, lost=True, again=None)


def _waits_for_end(step: Step) -> bool:
    action = step.action
    return isinstance(action, Execute | Run | Signal) and action.until is Until.DONE


def _cause(unknown: Attempt) -> Trouble:
    return unknown.cause or unknown.trouble or _NOBODY_KNOWS


_NAMED = 5
_EVEN_THOUGH = "`reconcile` takes it for the call where it can; `--even-though` beside `--as retry` sends it again"
_NOBODY_KNOWS = Trouble(code="E401", message="nobody knows how it ended")
_UNBOUNDED = CallFailed(
    kind=FailureKind.UNANSWERED,
    trouble=Trouble(code="E208", message="nothing tells since when it is to be read: the site told no time"),
)
