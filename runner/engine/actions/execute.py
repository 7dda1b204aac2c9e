"""An attempt of an `execute`: the watermark, the call, what was expected of its answer, and the log's verdict."""

from msgspec.structs import replace

from runner.engine.answer import NOT_READ, judged, parameters_of
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.start import start
from runner.engine.state import OpenRow
from runner.engine.verdict import verdict
from runner.expressions.parse import expression
from runner.foundation.values import Json
from runner.job.actions import Execute
from runner.job.actions.action import PROCESS_NAMES
from runner.job.model import Expectation, RetryOn, Step, Verify
from runner.runs.status import Status
from runner.service.calls import ExecuteCall
from runner.service.words import short_line


def attempt_execute(row: OpenRow) -> Running[Attempt]:
    """Start the step's process once and find out how that ended."""
    action, step = row.step.action, row.step
    assert isinstance(action, Execute)
    parameters = parameters_of(row, action.parameters)
    call = ExecuteCall(process=action.process, parameters=parameters, result=action.result, decode=action.decode)
    reads = step.verify is not Verify.NONE
    in_turn = reads and (row.is_once or step.verify is Verify.LOG)
    outcome = yield from start(row, call, needs_mark=reads, in_turn=in_turn)
    if isinstance(outcome, Attempt):
        return outcome
    row.answer = (outcome.value,)
    ending = yield from _ending(row, action, outcome.value)
    row.in_doubt = False
    return ending if step.secret else _with_text(ending, action, outcome.value)


def _with_text(ending: Attempt, action: Execute, value: Json) -> Attempt:
    """A text that came although no result was asked for [D] may say why nothing has begun."""
    if action.result is None and ending.verified is None and isinstance(value, str) and value:
        return ending.warned(f"no result was asked for, and the answer was `{short_line(value)}`")
    return ending


def _ending(row: OpenRow, action: Execute, value: Json) -> Running[Attempt]:
    """Judge the answer. The log is read where an expression asks for it, and after an expectation failed for good."""
    step = row.step
    found: Attempt | None = None
    reads = step.verify is not Verify.NONE
    if reads and _asks_for_process(step):
        found = yield from verdict(row, action)
    first = judged(row, value, found or NOT_READ, null_matters=action)
    will_retry = RetryOn.EXPECTATION in step.retry.on and row.attempts < step.retry.max_attempts
    if found is None and reads and not (first.again and will_retry):
        found = yield from verdict(row, action)
        first = judged(row, value, found, null_matters=action) if found.still_ran and value is None else first
    return first if found is None else _with_verdict(first, found)


def _with_verdict(first: Attempt, found: Attempt) -> Attempt:
    """An expectation that failed counts more than what the log says, but for a process that failed.

    What a process that did not pass has left in its parameters is no output.
    """
    whole = first.with_process(found)
    if first.status is Status.PASSED:
        outputs = whole.outputs if found.status is Status.PASSED else None
        return replace(whole, status=found.status, trouble=found.trouble, outputs=outputs)
    trouble = found.trouble if found.status is Status.FAILED else first.trouble
    return replace(whole, trouble=trouble, again=first.again if found.status is Status.PASSED else None)


def _asks_for_process(step: Step) -> bool:
    """Whether an expectation or output of the step names what only the log knows."""
    texts = [expected.that for expected in step.expect if isinstance(expected, Expectation)]
    texts.extend(step.outputs.values())
    return any(name.path[0] in PROCESS_NAMES for text in texts for name in expression(text).names)
