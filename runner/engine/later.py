"""Settling what is still in doubt when a run has ended: by another look at the process log, or by a person's verdict.

Nothing is sent but readings of the log. `finally` is over, and is not returned to.
"""

from contextlib import suppress

from runner.engine import doubt
from runner.engine.actions.element import in_part
from runner.engine.actions.included import outcome_of
from runner.engine.answer import judged, with_failed_element
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.perform import Interrupted, ask_verdict, note
from runner.engine.rows import count_running, finished
from runner.engine.state import DoubtfulRow, OpenRow, RunState, State
from runner.engine.step import gathered, record_of, remember, with_undo
from runner.expressions.evaluate import EvaluationError
from runner.foundation.values import JsonObject, items, record
from runner.job.actions import IncludedJob
from runner.job.model import OnFailure
from runner.runs.status import Status


def settle_later(state: State) -> Running[None]:
    """Ask for verdicts on the rows in doubt until any is settled.

    A run that is settled passes only if nothing was left out, whatever had stopped it.
    """
    run = state.run
    before = tuple(run.doubts)
    while tuple(run.doubts) == before:
        answer = yield from ask_verdict(state, [found.row for found in before], ended=True)
        for found in before:
            attempt = yield from _as_answered(found.row, answer)
            if attempt is not None and attempt.status is not Status.UNKNOWN:
                yield from _settle(state, found, attempt)
            elif attempt is not None and attempt.trouble not in (None, found.row.doubt):
                found.row.doubt, found.row.cause = attempt.trouble, attempt.cause
                yield from note(finished(found.row, attempt))
    if not run.doubts:
        run.stopped_by = None
        _decide(run, state)
        if state.left_out and state.worst() is Status.PASSED:
            state.counted.add(Status.FAILED)
            run.settled_incomplete = True


def _as_answered(row: OpenRow, answer: JsonObject) -> Running[Attempt | None]:
    """How the row ends by the answer; None where the answer is about another row."""
    if answer.get("as") == "log":
        return (yield from _settle_again(row))
    if answer.get("key") == row.key and answer.get("as") in ("passed", "failed"):
        return doubt.by_verdict(row, answer, known=row.doubt)
    return None


def _settle_again(row: OpenRow) -> Running[Attempt]:
    """Look once more, however much time the job had. A signal ends the look, and settles nothing."""
    run = row.state.run
    row.state.ends = None
    run.open_rows.append(row)
    unknown = Attempt(status=Status.UNKNOWN, trouble=row.doubt, cause=row.cause)
    try:
        attempt = yield from doubt.settle_again(row, unknown)
        attempt = yield from with_failed_element(row, attempt)
    except Interrupted:
        attempt = row.known or unknown
    run.open_rows.pop()
    return attempt


def _settle(state: State, found: DoubtfulRow, attempt: Attempt) -> Running[None]:
    """End the row again as it is now known to have ended, and with it what it is a part of."""
    run = state.run
    run.doubts.remove(found)
    yield from _end_again(run, found.row, attempt)
    if found.within and not any(found.within[-1] in other.within for other in run.doubts):
        _decide(run, found.row.state)
        outer = DoubtfulRow(row=found.within[-1], within=found.within[:-1])
        whole = _by_parts(outer.row, found.row, attempt)
        run.doubts.append(outer)
        if whole.status is not Status.UNKNOWN:
            yield from _settle(state, outer, whole)
            return
        yield from note(finished(outer.row, whole))
    for undone in run.undoing:
        state.counted |= undone.counted
    if not run.doubts:
        state.counted.discard(Status.UNKNOWN)


def _decide(run: RunState, state: State) -> None:
    """A step of this job that was decided about while an outcome was unknown may be decided otherwise now."""
    for each in [each for each in run.undecided if each.state.left_out is state.left_out]:
        run.undecided.remove(each)
        with suppress(EvaluationError):
            if not each.has_changed():
                continue
        state.left_out.add(each.key)
        if each.is_done:
            run.wrongly_decided.add(each.key)


def _end_again(run: RunState, row: OpenRow, attempt: Attempt) -> Running[None]:
    """Write down how the row ended, and let that count in the place of the doubt."""
    step, counted = row.step, row.state.counted
    attempt = with_undo(row, attempt)
    if step.secret:
        row.state.names.keep_secret(attempt.result, f"{row.key}.result")
    if row.whole is None:
        remember(row.state, step, _record(row, attempt))
        if attempt.status is not Status.PASSED and step.on_failure is not OnFailure.IGNORE:
            counted.add(attempt.status)
    if not any(counted is doubtful.state.counted for other in run.doubts for doubtful in (other.row, *other.within)):
        counted.discard(Status.UNKNOWN)
    count_running(row, attempt)
    yield from note(finished(row, attempt))


def _record(row: OpenRow, attempt: Attempt) -> JsonObject:
    """What expressions see of the row's step now; of a turn, together with the others."""
    shown = record_of(row, attempt)
    if row.step.for_each is None or row.index is None:
        return shown
    known = record(record(row.state.names.known["steps"]).get(row.step.id or ""))
    if "turns" not in known:
        return shown
    turns = items(known["turns"])
    every = [shown if index == row.index else turn for index, turn in enumerate(turns) if isinstance(turn, dict)]
    return gathered(every, row.step)


def _by_parts(whole: OpenRow, part: OpenRow, last: Attempt) -> Attempt:
    """How a row ends by its parts, of which `part` was settled last."""
    is_job = isinstance(whole.step.action, IncludedJob)
    worst = part.state.worst() if is_job else last.status
    prefix = f"{whole.key}{'/' if is_job else '['}"
    left_out = {key for key in part.state.left_out if key.startswith(prefix)}
    if worst is Status.PASSED and left_out:
        return not_passed("E312", "a part of it was in doubt, and what followed was decided by that")
    if is_job:
        return outcome_of(whole, part.state)
    if worst is not Status.PASSED:
        part.state.left_out -= left_out
        return Attempt(status=worst, trouble=in_part(last.trouble, part.index or 0))
    if whole.replies is None or last.lost:
        return doubt.passed_without_result(whole)
    return judged(whole, [*whole.replies, last.result])
