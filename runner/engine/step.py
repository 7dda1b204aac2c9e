"""Steps, in order: whether each is carried out, once or a turn an item, and what later steps may know of it."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from runner.engine.actions import ATTEMPTS
from runner.engine.actions.element import attempt_chain
from runner.engine.actions.failures import keep_moments
from runner.engine.actions.included import attempt_included
from runner.engine.answer import broken
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.perform import TIMEOUT, Interrupted, check_stop, close_by, note
from runner.engine.retry import try_until_done
from runner.engine.rows import STOPPED, begin, end, interrupt, report_row, skip, turns_left_out
from runner.engine.scope import Names, makes_secret
from runner.engine.state import OpenRow, State, Undecided, Undoable, worst_of
from runner.expressions.evaluate import EvaluationError, Room
from runner.expressions.parse import expression
from runner.foundation.values import Json, JsonObject, items, kind_of, record
from runner.job.actions import Elements, IncludedJob
from runner.job.model import OnFailure, Step, StepEffect
from runner.planning.plan import PlannedStep
from runner.runs.status import Status

MOST_TURNS = 10_000
_ITEM = ("item",)
_AFTER_A_STOP = frozenset({"failure", "always"})


class Ended(Struct, frozen=True, kw_only=True):
    """How a step, or a turn of it, ended: what expressions see of it, and of the turns of a step each."""

    status: Status
    record: JsonObject
    turns: Sequence[JsonObject] = ()


def carry_out_steps(state: State, steps: tuple[PlannedStep, ...]) -> Running[None]:
    """Carry steps out. A signal or the end of the time skips the rest, but not that of undo and `finally`."""
    depth = len(state.run.open_rows)
    for position, planned in enumerate(steps):
        try:
            yield from check_stop(state)
            yield from _carry_out(state, planned)
        except Interrupted as stop:
            is_over = yield from _interrupted(state, planned, stop, down_to=depth)
            if state.cleans_up and not is_over:
                continue
            for left_out in steps[position + 1 :]:
                yield from _skip(state, left_out, reason=STOPPED)
            return


def _interrupted(state: State, planned: PlannedStep, stop: Interrupted, *, down_to: int) -> Running[bool]:
    """End what was under way for a signal, or as the time is over. Gives whether nothing more is performed.

    The rest of a `finally` of an included job has the time of the run's own.
    """
    run, is_over = state.run, stop.over
    if stop.why != TIMEOUT:
        run.stopped_by = run.stopped_by or stop.why
    elif run.cleanup_ends is None and state.ends == run.plan.job.timeout:
        run.timed_out, is_over = True, False
    elif run.cleanup_ends is not None and state.ends == run.cleanup_ends:
        run.timed_out = True  # also where a step around it ignores failures
    state.halted = state.halted or not state.closing
    if run.stopped_by is not None or run.timed_out:
        close_by(run)
    turns = stop.turns
    _count_turns(state, planned.step, turns or ())
    if len(run.open_rows) > down_to:
        status = yield from interrupt(state, stop.why, down_to=down_to)
        state.counted.add(status)
        ended: JsonObject = {"status": status.value}
        remember(state, planned.step, ended if turns is None else gathered([*turns, ended], planned.step))
    elif turns:
        remember(state, planned.step, gathered(turns, planned.step))
    else:
        yield from _skip(state, planned, reason=STOPPED)
        stop.left_out = ()  # they are all that there was
    for event in stop.left_out:
        yield from note(event)
    if state.cleans_up:
        state.ends = run.cleanup_ends or state.ends
    return is_over


def _carry_out(state: State, planned: PlannedStep) -> Running[None]:
    step = planned.step
    if not state.closing and state.halted and _AFTER_A_STOP.isdisjoint(expression(step.condition).functions):
        yield from _skip(state, planned, reason=STOPPED)
        return
    try:
        decision = _decision(state, planned)
    except EvaluationError as error:
        row = yield from begin(state, report_row(state, planned, key=planned.key), step)
        ended = yield from _end(row, broken(error), flaky=False)
    else:
        _note_undecided(state, planned, decision)
        items = decision.items
        if not decision.is_wanted:
            yield from _skip(state, planned, reason="condition")
            return
        ended = yield from (_turn(state, planned) if items is None else _turns(state, planned, items))
    remember(state, step, ended.record)
    _count_turns(state, step, ended.turns)
    _count(state, planned, ended.status)


class _Decision(Struct, frozen=True):
    """Whether a step is carried out, and for which items; None where it is carried out once."""

    is_wanted: bool
    items: list[Json] | None = None


def _decision(state: State, planned: PlannedStep) -> _Decision:
    """Decide by what is known now. Raises `EvaluationError`."""
    is_wanted = state.names.holds(planned.step.condition)
    return _Decision(is_wanted, _items(state, planned) if is_wanted else None)


def _note_undecided(state: State, planned: PlannedStep, decision: _Decision) -> None:
    """Remember a decision that an unknown outcome may change when it is settled. A reading does no harm."""
    is_done = decision.is_wanted and decision.items != []
    if state.run.doubts and not (is_done and planned.step.effect is StepEffect.READ):
        key = f"{state.prefix}{planned.key}"
        state.run.undecided.append(
            Undecided(state=state, key=key, has_changed=lambda: _decision(state, planned) != decision, is_done=is_done)
        )


def _items(state: State, planned: PlannedStep) -> list[Json] | None:
    """What a step is carried out for; None where it is carried out once. Raises `EvaluationError`."""
    written, names = planned.step.for_each, state.names
    if written is None:
        return None
    label = f"{planned.key}.for_each"
    room = Room("the items of `for_each`")
    items = names.value(written, label, room) if isinstance(written, list) else names.result_of(written, label)
    if not isinstance(items, list):
        raise EvaluationError(f"`for_each` must give a list, and gives {kind_of(items)}")
    if len(items) > MOST_TURNS:
        raise EvaluationError(f"`for_each` gives {len(items)} items, and at most {MOST_TURNS} are carried out")
    return items


def _turns(state: State, planned: PlannedStep, items: list[Json]) -> Running[Ended]:
    """A turn an item, each a row of its own; the first that does not pass ends them, unless `on_failure` says else."""
    turns: list[JsonObject] = []
    depth = len(state.run.open_rows)
    if not items:
        yield from skip(state, planned, reason="nothing")  # else nobody would see that nothing was done
    for index, item in enumerate(items):
        turn = replace(state, names=_names_of_turn(state, planned, item, index))
        try:
            yield from check_stop(state)
            ended = yield from _turn(turn, planned, index=index)
        except Interrupted as stop:
            stop.turns = turns
            first = index + (len(state.run.open_rows) > depth)
            others = turns_left_out(state, planned, items, begin=first, names=turn.names, by=None)
            stop.left_out = (*stop.left_out, *others)
            raise
        finally:
            state.names.tainted.update(turn.names.tainted - {_ITEM})
        turns.append(ended.record)
        is_ended = ended.status is not Status.PASSED and planned.step.on_failure is OnFailure.STOP
        if is_ended or ended.status is Status.UNKNOWN:
            by = f"{state.prefix}{planned.key}[{index}]"
            for event in turns_left_out(state, planned, items, begin=index + 1, names=turn.names, by=by):
                yield from note(event)
            break
    whole = gathered(turns, planned.step)
    return Ended(status=Status(str(whole["status"])), record=whole, turns=turns)


def _names_of_turn(state: State, planned: PlannedStep, item: Json, index: int) -> Names:
    """An item of a list that is made from a secret is a secret."""
    names, written = state.names, planned.step.for_each
    if isinstance(written, str) and (gap := names.missing.get((*(expression(written).path or ()), index))):
        names = replace(names, missing={**names.missing, _ITEM: gap})
    is_secret = names.is_tainted(expression(written)) if isinstance(written, str) else makes_secret(written, names)
    tainted = names.tainted | {_ITEM} if is_secret else names.tainted
    return replace(names, known={**names.known, "item": item, "index": index}, tainted=tainted)


def gathered(turns: list[JsonObject], step: Step) -> JsonObject:
    worst = worst_of({Status(str(turn["status"])) for turn in turns})
    outputs: JsonObject = {name: [record(turn.get("outputs")).get(name) for turn in turns] for name in step.outputs}
    seconds = [turn.get("seconds") for turn in turns]
    return {
        "status": worst.value,
        "result": [turn.get("result") for turn in turns],
        "outputs": outputs,
        "attempts": len(turns),
        "seconds": round(sum(taken for taken in seconds if isinstance(taken, int | float)), 3),
        "turns": [*turns],
    }


def _turn(state: State, planned: PlannedStep, *, index: int | None = None) -> Running[Ended]:
    key = planned.key if index is None else f"{planned.key}[{index}]"
    has_parts = isinstance(planned.step.action, Elements | IncludedJob)
    shown = report_row(state, planned, key=key, index=index)
    row = yield from begin(state, shown, planned.step, has_parts=has_parts)
    yield from keep_moments(row)
    last, flaky = yield from _attempts(row, planned)
    return (yield from _end(row, last, flaky=flaky))


def _attempts(row: OpenRow, planned: PlannedStep) -> Running[tuple[Attempt, bool]]:
    action = planned.step.action
    if isinstance(action, Elements):
        return (yield from attempt_chain(row, planned, action))
    if isinstance(action, IncludedJob):
        return (yield from attempt_included(row, planned, action, carry_out_steps)), False
    return (yield from try_until_done(row, ATTEMPTS[action.kind]))


def _end(row: OpenRow, last: Attempt, *, flaky: bool) -> Running[Ended]:
    step, state = row.step, row.state
    shown = record_of(row, last)
    if step.secret:
        state.names.keep_secret(last.result, f"{row.key}.result")
        state.names.tainted.update({("steps", step.id or "", "result"), ("steps", step.id or "", "turns")})
    yield from end(row, with_undo(row, last), flaky=flaky)
    return Ended(status=last.status, record=shown)


def with_undo(row: OpenRow, last: Attempt) -> Attempt:
    """How the row ends. That it can be undone is remembered, as it will see the row, or that its undo is left out."""
    undo, run = row.step.undo, row.state.run
    if undo is not None and last.status is Status.PASSED:
        own = {**record_of(row, last), "process_status": last.process_status}
        run.undoable.append(Undoable(undo=undo, key=row.key, id=row.step.id, state=row.state, own=own))
    elif undo is not None and _may_have_changed_site(row, last):
        run.may_have_changed_site = True
        return last.warned("its `undo` is left out, as it did not pass: look at the site for what it has changed")
    return last


def _may_have_changed_site(row: OpenRow, last: Attempt) -> bool:
    """Whether the row failed and counts, and may have changed something before."""
    if last.status is Status.UNKNOWN or row.step.on_failure is OnFailure.IGNORE:
        return False
    return bool(row.has_parts or last.checks or last.process_id is not None or last.result is not None)


def record_of(row: OpenRow, last: Attempt) -> JsonObject:
    """What expressions see of a row that has ended: no result where it has none, or where it was lost."""
    shown: JsonObject = {
        "status": last.status.value,
        "process_id": last.process_id,
        "attempts": row.attempts,
        "seconds": round(row.t - row.started if last.seconds is None else last.seconds, 3),
    }
    if (last.status is Status.PASSED or last.result is not None) and not last.lost:
        shown["result"] = last.result
    if last.outputs is not None:
        shown["outputs"] = last.outputs
    return shown


def _skip(state: State, planned: PlannedStep, *, reason: str) -> Running[None]:
    yield from skip(state, planned, reason=reason)
    why = "its `if` was false" if reason == "condition" else "the run was stopped before it"
    remember(state, planned.step, {"status": Status.SKIPPED.value}, why=f"was skipped, because {why}")


def remember(state: State, step: Step, ended: JsonObject, *, why: str | None = None) -> None:
    """Make a step known to later expressions; `why` explains what it lacks."""
    if step.id is None:
        return
    steps = state.names.known["steps"]
    assert isinstance(steps, dict)
    steps[step.id] = ended
    missing = state.names.missing
    for path in [path for path in missing if path[:2] == ("steps", step.id)]:
        del missing[path]
    because = why or f"ended as `{ended['status']}`"
    for name in {"result", "outputs"} - ended.keys():
        missing["steps", step.id, name] = f"step `{step.id}` has no {name}: it {because}"
    turns = [record(turn) for turn in items(ended.get("turns"))]
    for index, turn in enumerate(turns):
        for name in {"result", "outputs"} - turn.keys():
            sentence = f"`{step.id}[{index}]` has no {name}: it ended as `{turn['status']}`"
            lists = [("result",)] if name == "result" else [("outputs", each) for each in step.outputs]
            for path in lists:
                missing.update({("steps", step.id, *path, at): sentence for at in (index, index - len(turns))})


def _count_turns(state: State, step: Step, turns: Sequence[JsonObject]) -> None:
    """Let each turn that did not pass count for its job: the doubt about another hides it only until it is settled."""
    if step.on_failure is not OnFailure.IGNORE:
        state.counted |= {Status(str(turn["status"])) for turn in turns} - {Status.PASSED}


def _count(state: State, planned: PlannedStep, status: Status) -> None:
    """Let a step that did not pass count for its job, and stop the job where it says so."""
    if status is Status.PASSED:
        return
    on_failure = planned.step.on_failure
    if status is Status.UNKNOWN or on_failure is not OnFailure.IGNORE:
        state.counted.add(status)
    if not state.closing and (status is Status.UNKNOWN or on_failure is OnFailure.STOP):
        state.halted = True
        state.halted_by = state.halted_by or f"{state.prefix}{planned.key}"
