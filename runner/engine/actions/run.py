"""One attempt of a `run`: RunProcess answers with the process's id, so that its end is known for certain.

A status of done or error with an id is a verdict without a reading [M]. One that still runs is followed by its id; one
that is queued has no id yet, and is found by the watermark.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from runner.engine import doubt, process_log, starts
from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Pause, Running
from runner.engine.following import GROWTH, Looks, follow, has_ended
from runner.engine.parameters import parameters_of
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.start import start
from runner.engine.state import OpenRow, Start, State
from runner.engine.verdict import FIRST_LOOK, LAST_LOOK, NO_ROW_YET, Verdict, failed, going_on, still_running
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Run
from runner.job.model import RetryOn, Step, StepEffect, Until, Verify
from runner.runs.events import Status, Trouble
from runner.service.calls import RunProcessCall, Version


def attempt_run(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Start the step's process once and find out how that ended."""
    action = step.action
    assert isinstance(action, Run)
    call = _call(state, row, action)
    if action.version is not None:
        named = yield from _in_version(state, row, call, action.version)
        if isinstance(named, Attempt):
            return named
        call = named
    outcome = yield from start(state, row, step, call, marked=_needs_mark(step, action), in_turn=False)
    if isinstance(outcome, Attempt):
        return outcome
    answer = outcome.value if isinstance(outcome.value, dict) else {}
    found = (yield from _of_another(state, row, step, answer)) or (yield from _verdict(state, row, step, answer))
    row.in_doubt = False
    return _attempt(state, row, step, answer=answer, found=found)


def _needs_mark(step: Step, action: Run) -> bool:
    """Whether the process may have to be found in the log without its id."""
    return step.verify is not Verify.NONE and (step.effect is StepEffect.ONCE or action.until is Until.DONE)


def _call(state: State, row: OpenRow, action: Run) -> RunProcessCall:
    parameters = parameters_of(state, row, action.parameters)
    return RunProcessCall(process=action.process, parameters=parameters, results=action.results)


def _in_version(state: State, row: OpenRow, call: RunProcessCall, number: int) -> Running[RunProcessCall | Attempt]:
    """The call of this version, which is looked up in the library; nothing was sent where it is not there."""
    with row.reading_until(state.t + state.attempt_seconds(row, row.step)):
        for fresh in (False, True):
            family = yield from process_log.family_of(state, row.key, call.process, fresh=fresh)
            member = None if isinstance(family, Unread) else family.version(number)
            if member is not None:
                break
    if member is not None:
        return replace(call, version=Version(number=number, code=member.code, uid=member.uid))
    if isinstance(family, Unread):
        return Attempt(status=Status.ERROR, trouble=family.failure.trouble, again=RetryOn.NOT_SENT)
    if family.why_unread is not None:
        message = f"version {number} cannot be looked up: {family.why_unread}"
        return Attempt(status=Status.ERROR, trouble=Trouble(code="E224", message=message, hint=_LIBRARY))
    hint = f"its versions are {family.numbers}"
    message = f"`{call.process}` has no version {number} on this site; nothing was started"
    return Attempt(status=Status.ERROR, trouble=Trouble(code="E223", message=message, hint=hint))


def _of_another(state: State, row: OpenRow, step: Step, answer: JsonObject) -> Running[Verdict | None]:
    """What the answer comes to where it names a process that another call has started; None where that is our own."""
    process_id, start = answer.get("process_id"), row.start
    assert start is not None
    if not isinstance(process_id, str):
        return None
    rows: list[JsonObject] = [] if process_id in state.log.seen else [{"id": process_id}]
    if rows:
        rows, _ = yield from starts.of_no_other(state, row.key, start.process, rows, keys=(row.key,), certain=True)
    if rows:
        starts.take(state, start.process, rows, makers=(start,))
        return None
    message = f"the answer names the process {process_id}, which another call has started"
    hint = "look at the process log of the site; something on the way may mix up answers"
    status = Status.UNKNOWN if step.effect is StepEffect.ONCE else Status.ERROR
    return Verdict(status=status, trouble=Trouble(code="E215", message=message, hint=hint))


def _verdict(state: State, row: OpenRow, step: Step, answer: JsonObject) -> Running[Verdict]:
    action = step.action
    assert isinstance(action, Run)
    status, process_id = str(answer.get("status")), answer.get("process_id")
    if not isinstance(process_id, str):
        if status == "queued":
            return (yield from _of_queued(state, row, step, action))
        return _unproved(step, None, f"it was answered as `{status}`, without an id")
    if status == "done":
        return (yield from _of_done(state, row, step, process_id))
    if status in ("error", "cancelled"):
        return (yield from _of_failed(state, row, step, process_id, status=status))
    if action.until is Until.DONE:
        return (yield from _of_running(state, row, step, process_id))
    if status == "running":
        return (yield from _of_going_on(state, row, step, process_id))
    return _unproved(step, process_id, f"it was answered as `{status}`, which is neither running nor ended")


def _of_done(state: State, row: OpenRow, step: Step, process_id: str) -> Running[Verdict]:
    """The answer is a verdict; `verify: log` wants to hear it from the log, too."""
    if step.verify is not Verify.LOG:
        return Verdict(verified=True, process_id=process_id, process_status="done")
    read = yield from _shown(state, row, process_id, until=has_ended)
    if isinstance(read, str):
        return _unproved(step, process_id, read)
    if read["status"] in ("error", "cancelled"):
        return failed(read, process_id)
    if read["status"] != "done":
        return _unproved(step, process_id, f"it was answered as `done`, and is `{read['status']}` in the process log")
    return Verdict(verified=True, process_id=process_id, process_status="done")


def _of_going_on(state: State, row: OpenRow, step: Step, process_id: str) -> Running[Verdict]:
    """It has started, and more is not asked for. With `verify: log` its row says so, too."""
    if step.verify is not Verify.LOG:
        return going_on(process_id, expected=True)
    read = yield from _shown(state, row, process_id, until=lambda _: True)
    if isinstance(read, str):
        return _unproved(step, process_id, read)
    if read["status"] in ("error", "cancelled"):
        return failed(read, process_id)
    if read["status"] not in ("running", "done"):
        return _unproved(step, process_id, f"{_STRANGE} {read['status']}, which is none that is known")
    return replace(going_on(process_id, expected=True), process_status=str(read["status"]))


def _shown(
    state: State, row: OpenRow, process_id: str, *, until: Callable[[JsonObject], bool]
) -> Running[JsonObject | str]:
    """The row of the process, read again for a second where it is not there or not as far; or why there is none."""
    if state.log.refusal is not None:
        return f"the process log cannot be read: {state.log.refusal.trouble.message}"
    for seconds in (*NO_ROW_YET, None):
        read = yield from process_log.row_of(state, row.key, process_id)
        if isinstance(read, dict) and read.get("parent") is not None:
            return "the process log shows it as a part of another process"
        is_over = (
            process_log.is_for_good(read.failure) if isinstance(read, Unread) else read is not None and until(read)
        )
        if seconds is None or is_over:
            break
        yield from perform(state, Pause(key=row.key, seconds=seconds))
    if isinstance(read, Unread):
        return f"the process log could not be read: {read.failure.trouble.message}"
    return "the process log shows no row of it" if read is None else read


def _of_failed(state: State, row: OpenRow, step: Step, process_id: str, *, status: str) -> Running[Verdict]:
    """The answer's own text is generic; the log's is the real one [M]."""
    read = None
    if step.verify is not Verify.NONE and state.log.refusal is None:
        read = yield from process_log.row_of(state, row.key, process_id)
    text = read.get("error") if isinstance(read, dict) else None
    return failed({"id": process_id, "status": status, "error": text}, process_id)


def _of_running(state: State, row: OpenRow, step: Step, process_id: str) -> Running[Verdict]:
    if step.verify is Verify.NONE or state.log.refusal is not None:
        return _unproved(step, process_id, "it still ran when the call was answered, and the process log is not read")
    row.process_id = process_id
    yield from perform(state, Pause(key=row.key, seconds=min(FIRST_LOOK, step.follow)))
    looks = Looks(first=FIRST_LOOK, longest=LAST_LOOK, deadline=state.t + step.follow)
    read = yield from follow(state, row.key, process_id, looks=looks, until=has_ended)
    if isinstance(read, Unread) or read is None:
        return _unproved(step, process_id, "it still ran when the call was answered, and the log does not show it")
    status = str(read["status"])
    if status == "running":
        return still_running(step, process_id)
    if status in ("error", "cancelled"):
        return failed(read, process_id)
    if status != "done":
        return _unproved(step, process_id, f"{_STRANGE} {status}, which is none that is known")
    return Verdict(verified=True, process_id=process_id, process_status=status)


def _of_queued(state: State, row: OpenRow, step: Step, action: Run) -> Running[Verdict]:
    """It waits in the background. Its row appears when it begins; until then nothing can be followed."""
    if action.until is Until.STARTED and step.verify is not Verify.LOG:
        return Verdict(process_status="queued", warning="not verified: the process is queued, and has no id yet")
    start, deadline = row.start, state.t + step.follow
    if start is None or not start.marked:
        return _unproved(step, None, "it is queued, and the process log cannot be read")
    start = starts.queued(state, start, seconds=step.follow)
    wait = FIRST_LOOK
    while state.t < deadline:
        rows = yield from doubt.candidates(state, row, start, last=wait == LAST_LOOK)
        if isinstance(rows, list) and rows:
            return (yield from _begun(state, row, step, start, rows=rows))
        yield from perform(state, Pause(key=row.key, seconds=min(wait, deadline - state.t)))
        wait = min(wait * GROWTH, LAST_LOOK)
    less = starts.why_less(state.log, start)
    why = f"it was queued, and has not begun within {step.follow:.0f} s{f'; {less}' if less else ''}"
    return _unproved(step, None, why)


def _begun(state: State, row: OpenRow, step: Step, start: Start, *, rows: list[JsonObject]) -> Running[Verdict]:
    """What was queued has begun, if the row is its own: that is inferred, as for a call that was not answered."""
    if (why := doubt.why_not(state, row, step, start, rows=rows)) is not None:
        return _unproved(step, None, f"it was queued, and {why}")
    left, rival = yield from starts.of_no_other(state, row.key, start.process, rows, keys=(row.key,))
    if rival or not left:
        return _unproved(step, None, "it was queued, and what began since may be the start of another run")
    starts.take(state, start.process, rows, makers=(start,))
    found = yield from _of_running(state, row, step, str(rows[0]["id"]))
    return replace(found, verified=doubt.INFERRED, warning=doubt.NOT_CERTAIN) if found.verified is True else found


_LIBRARY = "give the integration user the right to read `VwProcessLib`; nothing was started"
_STRANGE = "the process log shows the status"


def _unproved(step: Step, process_id: str | None, why: str) -> Verdict:
    status = Status.UNKNOWN if step.effect is StepEffect.ONCE else Status.ERROR
    hint = "`until: started` does not wait for the end; a `wait` step can follow the process later"
    trouble = Trouble(code="E208", message=f"nothing tells how the process ended: {why}", hint=hint)
    return Verdict(status=status, process_id=process_id, trouble=trouble)


def _attempt(state: State, row: OpenRow, step: Step, *, answer: JsonObject, found: Verdict) -> Attempt:
    """A process that failed is a failed step whatever its results are; else they are judged."""
    results: Json = answer.get("results")
    if found.status is not Status.PASSED:
        return Attempt(
            status=found.status,
            result=results,
            trouble=found.trouble,
            verified=found.verified,
            process_id=found.process_id,
            process_status=found.process_status,
            failed_row=found.failed_row,
        )
    seen: JsonObject = {"process_status": found.process_status, "process_id": found.process_id}
    attempt = judged(state, row, step, results, seen=seen)
    attempt = replace(attempt, warnings=(*attempt.warnings, *_nulls(step, results)))
    return attempt.of_process(
        found.process_id, status=found.process_status, verified=found.verified, warning=found.warning
    )


def _nulls(step: Step, results: Json) -> Iterator[str]:
    """A warning for each result that was asked for and is not there."""
    values = results if isinstance(results, dict) else {}
    for name in step.action.results if isinstance(step.action, Run) else ():
        if values.get(name) is None:
            yield f"`{name}` is null; the process has ended without a value for it, or still runs"
