"""One attempt of an `execute`: the watermark, the call, what was expected of its answer, and the log's verdict."""

from runner.engine.answer import NOT_READ, judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.parameters import parameters_of
from runner.engine.start import start
from runner.engine.state import OpenRow, State
from runner.engine.verdict import Verdict, verdict
from runner.expressions.parse import expression
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Execute
from runner.job.model import Expectation, RetryOn, Step, StepEffect, Verify
from runner.runs.events import Status
from runner.service.calls import ExecuteCall


def attempt_execute(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Start the step's process once and find out how that ended."""
    action = step.action
    assert isinstance(action, Execute)
    call = _call(state, row, action)
    marked = step.verify is not Verify.NONE
    in_turn = marked and (step.effect is StepEffect.ONCE or step.verify is Verify.LOG)
    outcome = yield from start(state, row, step, call, marked=marked, in_turn=in_turn)
    if isinstance(outcome, Attempt):
        return outcome
    ending = yield from _ending(state, row, step, value=outcome.value)
    row.in_doubt = False
    return ending


def _call(state: State, row: OpenRow, action: Execute) -> ExecuteCall:
    parameters = parameters_of(state, row, action.parameters)
    return ExecuteCall(process=action.process, parameters=parameters, result=action.result, decode=action.decode)


def _ending(state: State, row: OpenRow, step: Step, *, value: Json) -> Running[Attempt]:
    """What the answer comes to.

    The log is read first where an expression asks what it says, and not at all for an answer that will be asked for
    again. Where an expectation failed it is read, too: a process that failed explains its strange result.
    """
    action = step.action
    assert isinstance(action, Execute)
    found: Verdict | None = None
    if step.verify is not Verify.NONE and _asks_for_process(step):
        found = yield from verdict(state, row, step, action)
    first = judged(state, row, step, value, seen=_seen(found), null_matters=action)
    will_retry = RetryOn.EXPECTATION in step.retry.on and row.attempts < step.retry.max_attempts
    if found is None and step.verify is not Verify.NONE and not (first.again and will_retry):
        found = yield from verdict(state, row, step, action)
    return first if found is None else _with_verdict(first, found)


def _seen(found: Verdict | None) -> JsonObject:
    if found is None:
        return NOT_READ
    return {"process_status": found.process_status, "process_id": found.process_id}


def _with_verdict(first: Attempt, found: Verdict) -> Attempt:
    warnings = (*first.warnings, found.warning) if found.warning else first.warnings
    failed_already = first.status is not Status.PASSED
    told = found.trouble if found.trouble and (not failed_already or found.status is Status.FAILED) else first.trouble
    return Attempt(
        status=first.status if failed_already else found.status,
        result=first.result,
        trouble=told,
        again=first.again if failed_already and found.status is Status.PASSED else None,
        checks=first.checks,
        outputs=first.outputs,
        verified=found.verified,
        process_id=found.process_id,
        process_status=found.process_status,
        failed_row=found.failed_row,
        warnings=warnings,
    )


def _asks_for_process(step: Step) -> bool:
    """Whether an expectation or output of the step names what only the log knows."""
    texts = [expected.that for expected in step.expect if isinstance(expected, Expectation)]
    texts.extend(step.outputs.values())
    return any(name.path[0] in _OF_THE_LOG for text in texts for name in expression(text).names)


_OF_THE_LOG = frozenset({"process_status", "process_id"})
