"""One step: whether it is carried out, its row or rows, and what later steps may know of it."""

from dataclasses import replace
from typing import assert_never

from runner.engine.answer import broken, judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.element import attempt_of
from runner.engine.execute import attempt_execute
from runner.engine.retry import try_until_done
from runner.engine.state import OpenRow, State, note
from runner.events import Row, Section, Status, StepFinished, StepSkipped, StepStarted, Trouble
from runner.job.model import Element, Elements, Execute, OnFailure
from runner.plan import PlannedStep
from runner.template.evaluate import EvaluationError
from runner.template.parse import expression
from runner.values import Json, JsonObject

HIDDEN = "***"
_AFTER_A_STOP = frozenset({"failure", "always"})


def carry_out_step(state: State, planned: PlannedStep) -> Running[None]:
    """Carry one step out, or skip it, and remember how it ended."""
    step = planned.step
    if planned.section is Section.STEPS and state.halted and not _named(step.condition, _AFTER_A_STOP):
        yield from skip(state, planned, reason="stopped")
        return
    try:
        wanted = state.names.holds(step.condition)
    except EvaluationError as error:
        yield from _begin(state, planned)
        yield from _end(state, planned, broken(error), flaky=False)
        return
    if not wanted:
        yield from skip(state, planned, reason="condition")
        return
    yield from _begin(state, planned)
    last, flaky = yield from _attempts(state, planned)
    yield from _end(state, planned, last, flaky=flaky)


def skip(state: State, planned: PlannedStep, *, reason: str) -> Running[None]:
    yield from note(StepSkipped(row=row_of(planned), reason=reason))
    why = "its `if` was false" if reason == "condition" else "the run had been stopped"
    _remember(state, planned, {"status": Status.SKIPPED.value}, why=f"was skipped: {why}")


def row_of(planned: PlannedStep, *, index: int | None = None) -> Row:
    """What reports know of a step, or of one element of its chain."""
    step = planned.step
    return Row(
        key=planned.key if index is None else f"{planned.key}[{index}]",
        id=step.id,
        name=planned.name,
        kind=planned.kind if index is None else "element",
        section=planned.section,
        index=index,
        line=step.line,
        help=step.help,
    )


def interrupt(state: State, planned: PlannedStep, why: str) -> Running[None]:
    """End a step that was under way when the host was told to stop: its open rows, the innermost first."""
    while state.open_rows:
        row = state.open_rows[-1]
        status = Status.UNKNOWN if row.in_doubt else Status.ERROR
        trouble = Trouble(code="E401" if row.in_doubt else "E312", message=f"the run was stopped: {why}")
        state.counted.add(status)
        _remember(state, planned, {"status": status.value}, why=f"ended as `{status.value}`")
        yield from _finish(state, Attempt(status=status, trouble=trouble), reason="stopped")


def _attempts(state: State, planned: PlannedStep) -> Running[tuple[Attempt, bool]]:
    step, row = planned.step, state.open_rows[-1]
    match step.action:
        case Execute():
            return (yield from try_until_done(state, row, step=step, attempt=attempt_execute))
        case Element() as element:
            return (yield from try_until_done(state, row, step=step, attempt=attempt_of(element)))
        case Elements(items=items):
            return (yield from _chain(state, planned, items))
        case _:
            assert_never(step.action)


def _chain(state: State, planned: PlannedStep, items: tuple[Element, ...]) -> Running[tuple[Attempt, bool]]:
    """One element after the other, each a row of its own; it ends at the first that does not pass."""
    whole = state.open_rows[-1]
    whole.attempts = 1
    part = replace(planned.step, expect=(), outputs={})
    replies: list[Json] = []
    any_flaky = False
    for index, element in enumerate(items):
        yield from _open(state, row_of(planned, index=index))
        row = state.open_rows[-1]
        last, flaky = yield from try_until_done(state, row, step=part, attempt=attempt_of(element))
        yield from _finish(state, last, flaky=flaky, secret=part.secret)
        any_flaky = any_flaky or flaky
        replies.append(last.result)
        if last.status is not Status.PASSED:
            return Attempt(status=last.status, result=replies, trouble=_in_part(last.trouble, index)), False
    return judged(state, whole, planned.step, replies), any_flaky


def _in_part(trouble: Trouble | None, index: int) -> Trouble | None:
    if trouble is None:
        return None
    return Trouble(code=trouble.code, message=f"element {index + 1} of the chain: {trouble.message}", hint=trouble.hint)


def _begin(state: State, planned: PlannedStep) -> Running[None]:
    yield from _open(state, row_of(planned))


def _open(state: State, row: Row) -> Running[None]:
    state.open_rows.append(OpenRow(key=row.key, started=state.t))
    yield from note(StepStarted(row=row, t=state.t))


def _end(state: State, planned: PlannedStep, last: Attempt, *, flaky: bool) -> Running[None]:
    step = planned.step
    record: JsonObject = {
        "status": last.status.value,
        "process_id": last.process_id,
        "attempts": state.open_rows[-1].attempts,
        "seconds": round(state.t - state.open_rows[-1].started, 3),
    }
    if last.status is Status.PASSED or last.result is not None:
        record["result"] = last.result
    if last.outputs is not None:
        record["outputs"] = last.outputs
    if step.secret:
        state.names.keep_secret(last.result, f"steps.{planned.key}.result")
        state.names.tainted.add(("steps", planned.key, "result"))
    yield from _finish(state, last, flaky=flaky, secret=step.secret)
    _remember(state, planned, record, why=f"ended as `{last.status.value}`")
    _count(state, planned, last.status)


def _finish(
    state: State, last: Attempt, *, flaky: bool = False, secret: bool = False, reason: str | None = None
) -> Running[None]:
    row = state.open_rows.pop()
    yield from note(
        StepFinished(
            key=row.key,
            t=state.t,
            status=last.status,
            seconds=round(state.t - row.started, 6),
            attempts=row.attempts,
            flaky=flaky,
            verified=last.verified,
            process_id=last.process_id,
            result=HIDDEN if secret and last.result is not None else last.result,
            outputs=last.outputs or {},
            checks=last.checks,
            warnings=last.warnings,
            reason=reason,
            error=last.trouble,
        )
    )


def _remember(state: State, planned: PlannedStep, record: JsonObject, *, why: str) -> None:
    """Make a step known to later expressions; `why` explains, of what it does not have, that it does not."""
    if planned.step.id is None:
        return
    steps = state.names.known["steps"]
    assert isinstance(steps, dict)
    steps[planned.step.id] = record
    for name in ("result", "outputs"):
        if name not in record:
            state.names.missing["steps", planned.step.id, name] = f"step `{planned.step.id}` has no {name}: it {why}"


def _count(state: State, planned: PlannedStep, status: Status) -> None:
    """Let a step that did not pass count for the run, and stop it where it says so."""
    if status is Status.PASSED:
        return
    step = planned.step
    if status is Status.UNKNOWN or step.on_failure is not OnFailure.IGNORE:
        state.counted.add(status)
    if planned.section is Section.STEPS and (status is Status.UNKNOWN or step.on_failure is OnFailure.STOP):
        state.halted = True


def _named(condition: str, functions: frozenset[str]) -> bool:
    return not functions.isdisjoint(expression(condition).functions)
