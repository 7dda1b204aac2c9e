"""A call that must not happen twice and was not answered: it is looked for in the process log, and never repeated.

Absence is no proof: a row may appear only when the call returns [S], a request may still queue, rows may be hidden by
rights. So a call of which the log shows no start stays in doubt, and only a person's word lets it be sent again.
A start that is found is taken for ours where it is the only one and of our own owner; that is inferred, since another
program may share the account. The log gives a status, never the result.
"""

from collections.abc import Sequence
from dataclasses import replace

from runner.engine import process_log
from runner.engine.answer import judged
from runner.engine.attempt import Attempt, in_doubt
from runner.engine.effects import Pause, Running
from runner.engine.following import Looks, follow, has_ended
from runner.engine.lost import needs_result
from runner.engine.perform import inquire, judge, note, perform
from runner.engine.process_log import Unread
from runner.engine.state import OpenRow, Sought, State
from runner.engine.verdict import FIRST_LOOK, LAST_LOOK, failed, going_on, still_running
from runner.events import AttemptFailed, Status, Trouble
from runner.job.model import Execute, Run, Step, Until
from runner.values import JsonObject

INFERRED = "inferred"
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
    while last.status is Status.UNKNOWN:
        if told != (trouble := last.trouble or _NOBODY_KNOWS):
            told = trouble
            yield from note(AttemptFailed(key=row.key, t=state.t, kind="in_doubt", error=trouble))
        answer = yield from judge(state, (row,), ended=False)
        match answer.get("as"):
            case "retry":
                if row.sought is not None:
                    process_log.never_began(state, row.sought.process, row.key)
                row.in_doubt = row.unanswered = False
                row.process_id = None
                return None
            case "passed" | "failed":
                last = as_told(state, row, step, answer)
            case "log":
                last = yield from looked_for_again(state, row, step, last)
            case _:
                return last
    row.in_doubt = False
    return last


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


def _looked_for(
    state: State, row: OpenRow, step: Step, *, cause: Trouble, moments: Sequence[float]
) -> Running[Attempt]:
    """Read the log at these moments, in seconds from now, until it shows a start that may be ours."""
    row.in_doubt = True
    if row.sought is None or state.log.refusal is not None:
        return Attempt(status=Status.UNKNOWN, trouble=in_doubt(cause, why="the process log is not read"))
    begun, why = state.t, "the process log could not be read"
    for moment in moments:
        if state.t < begun + moment:
            yield from perform(state, Pause(key=row.key, seconds=begun + moment - state.t))
        rows = yield from process_log.new_rows(state, row.key, row.sought.process, since=row.sought)
        if isinstance(rows, Unread):
            if process_log.is_for_good(rows.failure):
                break
            continue
        if rows and row.unanswered:
            rows, rival = yield from _but_those_of_others(state, row, rows)
            if rows and rival:
                why = "the process log shows a start that another run may have made"
                return Attempt(status=Status.UNKNOWN, trouble=in_doubt(cause, why=why))
        if rows:
            return (yield from _of_candidates(state, row, step, rows=rows, cause=cause))
        why = "the process log shows no start of it, which proves nothing"
    return Attempt(status=Status.UNKNOWN, trouble=in_doubt(cause, why=why))


def _but_those_of_others(state: State, row: OpenRow, rows: list[JsonObject]) -> Running[tuple[list[JsonObject], bool]]:
    """The rows without those that other runs know as theirs, and whether one of the rest may be theirs, too."""
    assert row.sought is not None
    told = yield from inquire(state, row.key, row.sought.process)
    taken = told.get("taken")
    state.log.seen.update(str(process_id) for process_id in (taken if isinstance(taken, list) else ()))
    return [one for one in rows if one["id"] not in state.log.seen], told.get("rival") is True


def _of_candidates(
    state: State, row: OpenRow, step: Step, *, rows: list[JsonObject], cause: Trouble
) -> Running[Attempt]:
    assert row.sought is not None
    if len(rows) > 1:
        why = f"the process log shows {len(rows)} starts that may be it"
        return Attempt(status=Status.UNKNOWN, trouble=in_doubt(cause, why=why))
    if process_log.earlier(state, row.sought.process, row.key):
        why = "the process log shows a start that may be that of another step, whose row has not come"
        return Attempt(status=Status.UNKNOWN, trouble=in_doubt(cause, why=why))
    if state.log.owner is None and row.unanswered:
        why = "the process log shows one start, and does not tell whether it is ours"
        return Attempt(status=Status.UNKNOWN, trouble=in_doubt(cause, why=why))
    found = rows[0]
    process_log.settle(state, row.sought.process, rows, since=row.sought, of=row.key)
    row.process_id = str(found["id"])
    if found["status"] == "running" and _waits_for_end(step):
        yield from perform(state, Pause(key=row.key, seconds=min(FIRST_LOOK, step.follow)))
        looks = Looks(first=FIRST_LOOK, longest=LAST_LOOK, deadline=state.t + step.follow)
        read = yield from follow(state, row.key, str(found["id"]), looks=looks, until=has_ended)
        found = read if isinstance(read, dict) else found
    attempt = _of_row(state, row, step, found)
    row.in_doubt = attempt.status is Status.UNKNOWN
    return attempt


def _of_row(state: State, row: OpenRow, step: Step, found: JsonObject) -> Attempt:
    """The attempt as the one start tells it that was taken for ours."""
    status, process_id = str(found["status"]), str(found["id"])
    seen: JsonObject = {"process_status": status, "process_id": process_id}
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
    verified = INFERRED if row.unanswered else True
    return attempt.of_process(process_id, status=status, verified=verified, warning=warning)


def _without_result(state: State, row: OpenRow, step: Step, seen: JsonObject) -> Attempt:
    """Judge by what does not need the result. It stays unknown to later steps: it is lost, not null."""
    attempt = judged(state, row, step, None, seen=seen)
    return replace(attempt, lost=True, again=None)


def _waits_for_end(step: Step) -> bool:
    action = step.action
    return isinstance(action, Execute | Run) and action.until is Until.DONE


def _cause(unknown: Attempt) -> Trouble:
    """What put the row in doubt, without what was said of it afterwards."""
    message = (unknown.trouble or _NOBODY_KNOWS).message.removeprefix(_DOUBTED).partition("; the process log ")[0]
    return Trouble(code="E401", message=message)


_DOUBTED = "it may or may not have happened: "
_NOBODY_KNOWS = Trouble(code="E401", message="nobody knows how it ended")


def sought(state: State, process: str) -> Sought | None:
    """What a start of `process` could be found by, from now on; None where the log has not been read."""
    marks = state.log.marks
    return Sought(process=process, mark=marks[process]) if process in marks else None
