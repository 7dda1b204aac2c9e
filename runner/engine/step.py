"""Steps, in order: whether one is carried out, once or a turn an item, and what later ones may know of it."""

from dataclasses import dataclass, replace

from runner.engine.actions import ATTEMPTS
from runner.engine.actions.elements import attempt_chain
from runner.engine.actions.included import attempt_included
from runner.engine.answer import broken
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.moments import keep_moments
from runner.engine.perform import TIMEOUT, Interrupted, close_by, go_on
from runner.engine.retry import try_until_done
from runner.engine.rows import STOPPED, begin, end, interrupt, row_of, skip
from runner.engine.state import WORST_FIRST, OpenRow, State, Undoable
from runner.expressions.evaluate import EvaluationError, Room
from runner.expressions.parse import expression
from runner.foundation.values import Json, JsonObject, kind_of
from runner.job.actions import Elements, IncludedJob
from runner.job.model import OnFailure, Step
from runner.planning.plan import PlannedStep
from runner.runs.events import Status

MOST_TURNS = 10_000
_AFTER_A_STOP = frozenset({"failure", "always"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a step, or one of its turns, ended: what expressions see of it."""

    status: Status
    record: JsonObject


def carry_out_steps(state: State, steps: tuple[PlannedStep, ...]) -> Running[None]:
    """Carry steps out. The place where a stop is caught, of the host or because the time is over.

    What is under way ends. Of the steps the rest is skipped; of undo and `finally` only where nothing can be performed.
    """
    depth = len(state.run.open_rows)
    for position, planned in enumerate(steps):
        try:
            yield from go_on(state)
            yield from carry_out_step(state, planned)
        except Interrupted as stop:
            yield from _interrupted(state, planned, stop, down_to=depth)
            if state.closing and not stop.over:
                continue
            for left_out in steps[position + 1 :]:
                yield from _skip(state, left_out, reason=STOPPED)
            return


def _interrupted(state: State, planned: PlannedStep, stop: Interrupted, *, down_to: int) -> Running[None]:
    """End what was under way, and let the job and the run know why."""
    run = state.run
    if stop.why != TIMEOUT:
        run.stopped_by = run.stopped_by or stop.why
    elif not state.closing and state.ends == run.plan.job.timeout:
        run.timed_out = True
    state.halted = state.halted or not state.closing
    if run.stopped_by is not None or run.timed_out:
        close_by(run)
    turns = stop.turns
    if len(run.open_rows) > down_to:
        status = yield from interrupt(state, stop.why, down_to=down_to)
        state.counted.add(status)
        record: JsonObject = {"status": status.value}
        remember(state, planned.step, record if turns is None else gathered([*turns, record], planned.step))
    elif turns:
        remember(state, planned.step, gathered(turns, planned.step))
    else:
        yield from _skip(state, planned, reason=STOPPED)


def carry_out_step(state: State, planned: PlannedStep) -> Running[None]:
    """Carry one step out, or skip it, and remember how it ended."""
    step = planned.step
    if not state.closing and state.halted and not _named(step.condition, _AFTER_A_STOP):
        yield from _skip(state, planned, reason=STOPPED)
        return
    try:
        wanted = state.names.holds(step.condition)
        items = _items(state, planned) if wanted else None
    except EvaluationError as error:
        ended = yield from _broken(state, planned, error)
    else:
        if not wanted:
            yield from _skip(state, planned, reason="condition")
            return
        ended = yield from (_turn(state, planned) if items is None else _turns(state, planned, items))
    remember(state, planned.step, ended.record)
    _count(state, planned, ended.status)


def _items(state: State, planned: PlannedStep) -> list[Json] | None:
    """What a step is carried out for; None where it is carried out once. Raises `EvaluationError`."""
    written = planned.step.for_each
    if written is None:
        return None
    label = f"{planned.key}.for_each"
    names = state.names
    room = Room("the items of `for_each`")
    items = names.value(written, label, room) if isinstance(written, list) else names.result_of(written, label)
    if not isinstance(items, list):
        raise EvaluationError(f"`for_each` must give a list, and gives {kind_of(items)}")
    if len(items) > MOST_TURNS:
        raise EvaluationError(f"`for_each` gives {len(items)} items, and at most {MOST_TURNS} are carried out")
    return items


def _turns(state: State, planned: PlannedStep, items: list[Json]) -> Running[Ended]:
    """A turn an item, each a row of its own; the first that does not pass ends them, unless `on_failure` says else."""
    turns: list[Ended] = []
    depth = len(state.run.open_rows)
    if not items and planned.step.expect:
        yield from skip(state, planned, reason="nothing")  # else nobody would see that nothing was expected
    for index, item in enumerate(items):
        more: JsonObject = {"item": item, "index": index}
        names = replace(state.names, known={**state.names.known, **more}, tainted=state.names.tainted)
        turn = replace(state, names=names)
        try:
            yield from go_on(state)
            ended = yield from _turn(turn, planned, index=index)
        except Interrupted as stop:
            stop.turns = [done.record for done in turns]
            first = index + (len(state.run.open_rows) > depth)
            _leave_out(state, planned, turns=range(first, len(items)))
            raise
        turns.append(ended)
        goes_on = ended.status is Status.PASSED or planned.step.on_failure is not OnFailure.STOP
        if not goes_on or ended.status is Status.UNKNOWN:
            _leave_out(state, planned, turns=range(index + 1, len(items)))
            break
    record = gathered([ended.record for ended in turns], planned.step)
    return Ended(status=Status(str(record["status"])), record=record)


def _leave_out(state: State, planned: PlannedStep, *, turns: range) -> None:
    state.left_out.update(f"{state.prefix}{planned.key}[{index}]" for index in turns)


def gathered(turns: list[JsonObject], step: Step) -> JsonObject:
    """What expressions see of all turns together."""
    statuses = {turn["status"] for turn in turns}
    worst = next((status for status in WORST_FIRST if status in statuses), Status.PASSED)
    outputs: JsonObject = {name: [_output(turn, name) for turn in turns] for name in step.outputs}
    seconds = [turn.get("seconds") for turn in turns]
    return {
        "status": worst.value,
        "result": [turn.get("result") for turn in turns],
        "outputs": outputs,
        "attempts": len(turns),
        "seconds": round(sum(taken for taken in seconds if isinstance(taken, int | float)), 3),
        "turns": [*turns],
    }


def _output(turn: JsonObject, name: str) -> Json:
    outputs = turn.get("outputs")
    return outputs.get(name) if isinstance(outputs, dict) else None


def _turn(state: State, planned: PlannedStep, *, index: int | None = None) -> Running[Ended]:
    key = planned.key if index is None else f"{planned.key}[{index}]"
    has_parts = isinstance(planned.step.action, Elements | IncludedJob)
    of_row = row_of(state, planned, key=key, index=index)
    row = yield from begin(state, of_row, planned.step, has_parts=has_parts)
    yield from keep_moments(state, row, planned.step)
    last, flaky = yield from _attempts(state, row, planned)
    return (yield from _end(state, planned, last, flaky=flaky))


def _broken(state: State, planned: PlannedStep, error: EvaluationError) -> Running[Ended]:
    yield from begin(state, row_of(state, planned, key=planned.key), planned.step)
    return (yield from _end(state, planned, broken(error), flaky=False))


def _attempts(state: State, row: OpenRow, planned: PlannedStep) -> Running[tuple[Attempt, bool]]:
    step, action = planned.step, planned.step.action
    if isinstance(action, Elements):
        return (yield from attempt_chain(state, row, planned, items=action.items))
    if isinstance(action, IncludedJob):
        last = yield from attempt_included(state, row, planned, action=action, carry_steps=carry_out_steps)
        return last, False
    return (yield from try_until_done(state, row, step=step, attempt=ATTEMPTS[action.kind]))


def _end(state: State, planned: PlannedStep, last: Attempt, *, flaky: bool) -> Running[Ended]:
    step, row = planned.step, state.run.open_rows[-1]
    record = record_of(state, row, last)
    if step.secret:
        state.names.keep_secret(last.result, f"{row.key}.result")
        state.names.tainted.update({("steps", step.id or "", "result"), ("steps", step.id or "", "turns")})
    if step.undo is not None and last.status is Status.PASSED:
        own = {**record, "process_status": last.process_status}
        state.run.undoable.append(Undoable(undo=step.undo, key=row.key, id=step.id, state=state, own=own))
    yield from end(state, last, flaky=flaky, secret=step.secret)
    return Ended(status=last.status, record=record)


def record_of(state: State, row: OpenRow, last: Attempt) -> JsonObject:
    """What expressions see of a row that has ended: no result where it has none, or where it was lost."""
    record: JsonObject = {
        "status": last.status.value,
        "process_id": last.process_id,
        "attempts": row.attempts,
        "seconds": round(state.t - row.started if last.seconds is None else last.seconds, 3),
    }
    if (last.status is Status.PASSED or last.result is not None) and not last.lost:
        record["result"] = last.result
    if last.outputs is not None:
        record["outputs"] = {**last.outputs}
    return record


def _skip(state: State, planned: PlannedStep, *, reason: str) -> Running[None]:
    yield from skip(state, planned, reason=reason)
    why = "its `if` was false" if reason == "condition" else "the run had been stopped"
    remember(state, planned.step, {"status": Status.SKIPPED.value}, why=f"was skipped: {why}")


def remember(state: State, step: Step, record: JsonObject, *, why: str | None = None) -> None:
    """Make a step known to later expressions; `why` explains, of what it does not have, that it does not."""
    if step.id is None:
        return
    steps = state.names.known["steps"]
    assert isinstance(steps, dict)
    steps[step.id] = record
    because = why or f"ended as `{record['status']}`"
    for name in ("result", "outputs"):
        state.names.missing.pop(("steps", step.id, name), None)
        if name not in record:
            state.names.missing["steps", step.id, name] = f"step `{step.id}` has no {name}: it {because}"


def _count(state: State, planned: PlannedStep, status: Status) -> None:
    """Let a step that did not pass count for its job, and stop the job where it says so."""
    if status is Status.PASSED:
        return
    step = planned.step
    if status is Status.UNKNOWN or step.on_failure is not OnFailure.IGNORE:
        state.counted.add(status)
    if not state.closing and (status is Status.UNKNOWN or step.on_failure is OnFailure.STOP):
        state.halted = True
        state.halted_by = state.halted_by or f"{state.prefix}{planned.key}"


def _named(condition: str, functions: frozenset[str]) -> bool:
    return not functions.isdisjoint(expression(condition).functions)
