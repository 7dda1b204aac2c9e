"""Settling what is still in doubt when a run has ended: by another look at the process log, or by a person's word.

Nothing is sent but readings of the log. Undo and `finally` are behind such a run, and are not gone back to.
"""

from runner.engine import doubt
from runner.engine.actions.elements import in_part
from runner.engine.actions.included import outcome_of
from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.failing import at_its_element
from runner.engine.perform import Interrupted, judge, note
from runner.engine.rows import finished
from runner.engine.state import Doubt, OpenRow, RunState, State
from runner.engine.step import gathered, record_of, remember
from runner.foundation.values import JsonObject
from runner.job.actions import IncludedJob
from runner.job.model import OnFailure
from runner.runs.events import Status, Trouble


def settle_later(state: State) -> Running[None]:
    """Ask how the rows in doubt are to be taken until one of them is settled.

    A run that is settled passes only if nothing was left out, whatever had stopped it.
    """
    run = state.run
    before = tuple(run.doubts)
    while tuple(run.doubts) == before:
        answer = yield from judge(state, [found.row for found in before], ended=True)
        for found in before:
            attempt = yield from _as_answered(found, answer)
            if attempt is not None and attempt.status is not Status.UNKNOWN:
                yield from _settle(state, found, attempt)
            elif attempt is not None and attempt.trouble not in (None, found.row.doubt):
                found.row.doubt, found.row.cause = attempt.trouble, attempt.cause
                yield from note(finished(found.row.state, found.row, attempt))
    if not run.doubts:
        run.stopped_by = None
        if state.left_out and state.worst() is Status.PASSED:
            state.counted.add(Status.FAILED)
            run.settled_incomplete = True


def _as_answered(found: Doubt, answer: JsonObject) -> Running[Attempt | None]:
    """How the row is to be taken; None where nothing was said of it."""
    row = found.row
    if answer.get("as") == "log":
        return (yield from _looked_for_again(row))
    if answer.get("key") == row.key and answer.get("as") in ("passed", "failed"):
        return doubt.as_told(row.state, row, row.step, answer)
    return None


def _looked_for_again(row: OpenRow) -> Running[Attempt]:
    """Look once more, however much time the job had. A stop ends the look, and settles nothing."""
    state = row.state
    state.ends = None
    state.run.open_rows.append(row)
    unknown = Attempt(status=Status.UNKNOWN, trouble=row.doubt, cause=row.cause)
    try:
        attempt = yield from doubt.looked_for_again(state, row, row.step, unknown)
        attempt = yield from at_its_element(state, row, row.step, attempt)
    except Interrupted:
        attempt = row.known or unknown
    state.run.open_rows.pop()
    return attempt


def _settle(state: State, found: Doubt, attempt: Attempt) -> Running[None]:
    """End the row again as it is now known to have ended, and with it what it is a part of."""
    run = state.run
    run.doubts.remove(found)
    yield from _end_again(run, found.row, attempt)
    if found.within and not any(found.within[-1] in other.within for other in run.doubts):
        outer = Doubt(row=found.within[-1], within=found.within[:-1])
        whole = _of_parts(outer.row, found.row, attempt)
        run.doubts.append(outer)
        if whole.status is not Status.UNKNOWN:
            yield from _settle(state, outer, whole)
            return
        yield from note(finished(outer.row.state, outer.row, whole))
    for its in run.undoing:
        state.counted |= its.counted
    if not run.doubts:
        state.counted.discard(Status.UNKNOWN)


def _end_again(run: RunState, row: OpenRow, attempt: Attempt) -> Running[None]:
    """Write down how the row ended, and let that count in the place of the doubt."""
    step, counted = row.step, row.state.counted
    if step.undo is not None and attempt.status is Status.PASSED:
        run.settled_too_late.append(row.key)
    if step.secret:
        row.state.names.keep_secret(attempt.result, f"{row.key}.result")
    if row.whole is None:
        remember(row.state, step, _record(row, attempt))
        if attempt.status is not Status.PASSED and step.on_failure is not OnFailure.IGNORE:
            counted.add(attempt.status)
    if not any(counted is its.state.counted for other in run.doubts for its in (other.row, *other.within)):
        counted.discard(Status.UNKNOWN)
    yield from note(finished(row.state, row, attempt, secret=step.secret))


def _record(row: OpenRow, attempt: Attempt) -> JsonObject:
    """What expressions see of the row's step now; of a turn, together with the others."""
    record = record_of(row.state, row, attempt)
    if row.step.for_each is None or row.index is None:
        return record
    steps = row.state.names.known["steps"]
    assert isinstance(steps, dict)
    known = steps.get(row.step.id or "")
    turns = known.get("turns") if isinstance(known, dict) else None
    if not isinstance(turns, list):
        return record
    every = [record if index == row.index else turn for index, turn in enumerate(turns) if isinstance(turn, dict)]
    return gathered(every, row.step)


def _of_parts(whole: OpenRow, part: OpenRow, last: Attempt) -> Attempt:
    """A row that is as its parts are, the last of which to be settled was `part`."""
    is_job = isinstance(whole.step.action, IncludedJob)
    worst = part.state.worst() if is_job else last.status
    beginning = f"{whole.key}{'/' if is_job else '['}"
    if worst is Status.PASSED and any(key.startswith(beginning) for key in part.state.left_out):
        message = "a part of it was in doubt, and so the rest was left out"
        return Attempt(status=Status.FAILED, trouble=Trouble(code="E312", message=message))
    if is_job:
        return outcome_of(whole.state, whole, whole.step, part.state)
    if worst is not Status.PASSED:
        part.state.left_out -= {key for key in part.state.left_out if key.startswith(beginning)}
        return Attempt(status=worst, trouble=in_part(last.trouble, part.index or 0))
    if whole.replies is None or last.lost:
        return doubt.passed_without_result(whole.state, whole, whole.step)
    return judged(whole.state, whole, whole.step, [*whole.replies, last.result])
