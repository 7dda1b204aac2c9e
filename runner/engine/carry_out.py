"""The engine: a generator that yields effects, receives their outcomes, and so carries a plan out.

It knows no network, no file, no clock and no chance: the same outcomes lead to the same effects. So a broken run is
resumed by feeding its outcomes to a fresh engine.
"""

from msgspec.structs import replace

from runner.engine.effects import Running
from runner.engine.later import settle_later
from runner.engine.perform import TIMEOUT, close_by, note, poll_stop
from runner.engine.rows import time_is_over
from runner.engine.scope import Names, names_of, work_out_vars
from runner.engine.state import RunState, State, Undoable
from runner.engine.step import carry_out_steps
from runner.expressions.evaluate import EvaluationError, Room
from runner.expressions.parse import expression
from runner.foundation.problems import STOPPED, ExitCode, strongest
from runner.foundation.sentences import listed
from runner.foundation.values import JsonObject, record
from runner.planning.plan import Plan, open_inputs, planned_rows, source_digest, undo_steps
from runner.runs.events import (
    EXIT_CODES,
    RunClosing,
    RunFacts,
    RunFinished,
    RunStarted,
    RunStatus,
    Trouble,
    UndoFinished,
    UndoStarted,
)
from runner.runs.status import Status
from runner.version import REPLAY


def carry_out(plan: Plan, run: RunFacts) -> Running[None]:
    """Carry out the steps, then `undo` and `finally`; then ask for verdicts, and undo what had to wait for them."""
    run_state = RunState(plan=plan, refused={each.key: each for each in plan.refused})
    state = State(run=run_state, job=plan.job, names=names_of(plan, run), ends=plan.job.timeout)
    state.names.functions.update(state.conditions())
    yield from note(_started(plan, run))
    trouble = _vars_trouble(state)
    yield from carry_out_steps(state, plan.steps)
    yield from poll_stop(state)
    why = _why_closing(state)
    yield from note(RunClosing(t=state.t, why=why))
    state.run.has_done_steps = why == DONE or not (state.left_out or state.counted or state.run.undoable)
    late = time_is_over(state) if state.run.timed_out else None
    close_by(state.run)  # the turning point: from here on there is time for undo and `finally`, and no way back
    state.closing, state.ends = True, state.run.cleanup_ends
    yield from undo(state)
    yield from carry_out_steps(state, plan.final_steps)
    yield from poll_stop(state)
    while True:
        outputs, broken = _outputs(state)
        yield from note(_finished(state, outputs, trouble or late or broken or _left_out(state)))
        if not state.run.doubts:
            state.names.functions.clear()  # they know the state, and it knows them: what the run held would stay
            return
        yield from settle_later(state)
        yield from make_up_for_undo(state)


def _started(plan: Plan, run: RunFacts) -> RunStarted:
    return RunStarted(
        **{name: getattr(run, name) for name in RunFacts.__struct_fields__},
        replay=REPLAY,
        job=plan.job.name,
        file=plan.job.file,
        case=plan.case.name if plan.case else None,
        target=plan.target,
        inputs=open_inputs(plan.job, plan.inputs),
        digest=plan.digest,
        help=plan.job.help,
        rows=planned_rows(plan.job),
        tags=plan.job.tags,
        description=plan.job.description,
        source=source_digest(plan),
        unchecked=plan.unchecked,
    )


def _vars_trouble(state: State) -> Trouble | None:
    """Work out the job's `vars`; a variable that breaks stops the run before its first step."""
    try:
        work_out_vars(state.job, state.names)
    except EvaluationError as error:
        state.counted.add(Status.FAILED)
        state.halted = True
        return Trouble(code="E207", message=f"`vars` cannot be worked out: {error}", hint=error.hint)
    return None


def _why_closing(state: State) -> str:
    if state.run.stopped_by is not None:
        return state.run.stopped_by
    if state.run.timed_out:
        return TIMEOUT
    return "stopped" if state.halted else DONE


def _outputs(state: State) -> tuple[JsonObject, Trouble | None]:
    """The job's outputs. Of a run that passed each must be there; of another run those that can be had are."""
    outputs: JsonObject = {}
    trouble, room = None, Room("the outputs of the job")
    for name, text in state.job.outputs.items():
        try:
            outputs[name] = None
            value = state.names.result_of(text, f"outputs.{name}")
            room.take(value)
            outputs[name] = value
        except EvaluationError as error:
            if not _is_lost(state, text):
                trouble = trouble or Trouble(code="E207", message=f"output `{name}`: {error}", hint=error.hint)
    if trouble is not None and state.status() is RunStatus.PASSED:
        state.counted.add(Status.FAILED)
        return outputs, trouble
    return outputs, None


def _is_lost(state: State, text: str) -> bool:
    """Whether an output names the lost result of a step that passed by a person's verdict."""
    steps = record(state.names.known["steps"])
    passed = {key for key, step in steps.items() if record(step).get("status") == Status.PASSED.value}
    lost = {("steps", key, "result") for key in passed if "result" not in record(steps[key])}
    return any(name.path[:3] in lost for name in expression(text).names)


def _left_out(state: State) -> Trouble | None:
    """Why a run fails although nothing failed: it was settled, and steps had been left out."""
    if not (state.counted == {Status.FAILED} and state.run.settled_incomplete):
        return None
    wrongly_decided = state.left_out & state.run.wrongly_decided
    parts = []
    if left_out := sorted(state.left_out - wrongly_decided):
        parts.append(f"a stop, or a doubt, had left out {listed(left_out)}")
    if wrongly_decided:
        parts.append(
            f"{listed(sorted(wrongly_decided))} was carried out while an outcome was unknown, and would be decided "
            "otherwise now"
        )
    nothing = "nothing failed, but " if undone(state.run) != INCOMPLETE else ""
    message = f"{nothing}the job was not carried out as it is written: {'; '.join(parts)}"
    hint = (
        "look at the site for that, and do by hand what is missing, or carry the job out once more: `runner show` has "
        "the command, and what it starts again"
    )
    return Trouble(code="E312", message=message, hint=hint)


def _finished(state: State, outputs: JsonObject, trouble: Trouble | None) -> RunFinished:
    status = state.status()
    codes = [] if status is RunStatus.CANCELLED else [EXIT_CODES[status]]
    if state.run.stopped_by is not None and status is not RunStatus.PASSED:
        codes.append(STOPPED.get(state.run.stopped_by, ExitCode.INTERRUPTED))
    undo = undone(state.run)
    return RunFinished(t=state.t, status=status, exit_code=strongest(codes), outputs=outputs, undo=undo, error=trouble)


DONE = "done"
NONE, COMPLETE, INCOMPLETE = "none", "complete", "incomplete"


def undo(state: State) -> Running[None]:
    """Undo every row that passed, if the run has failed so far; while an outcome is unknown, later.

    An undo that fails stops no other.
    """
    run = state.run
    has_failed = bool(state.counted) or run.stopped_by is not None or run.timed_out
    run.owes_undo = has_failed and Status.UNKNOWN in state.counted
    if not has_failed or run.owes_undo or not run.undoable:
        return
    yield from note(UndoStarted(t=state.t))
    for entry in reversed(run.undoable):
        inner = _state(state, entry)
        run.undoing.append(inner)
        yield from carry_out_steps(inner, undo_steps(entry.undo, key=entry.key))
        state.counted |= inner.counted
        state.left_out |= inner.left_out
    yield from note(UndoFinished(t=state.t, undo=undone(run)))


def make_up_for_undo(state: State) -> Running[None]:
    """Undo what could not be undone before, if the run is known to have failed. It has its own time."""
    run = state.run
    if not run.owes_undo or run.doubts or state.status() is RunStatus.PASSED:
        return
    run.cleanup_ends = None
    close_by(run)
    yield from undo(state)


def undone(run: RunState) -> str:
    """`none`, `complete` or `incomplete`: also where the end of an undo is not known, or a failed step is left."""
    if not run.undoing:
        return NONE
    if run.may_have_changed_site:
        return INCOMPLETE
    return INCOMPLETE if any(inner.counted or inner.left_out or inner.running for inner in run.undoing) else COMPLETE


def _state(state: State, entry: Undoable) -> State:
    """The job as its step sees it again, in the time of undo and `finally`. What it adds to names stays in here."""
    names, ends = _names(entry), state.run.cleanup_ends
    cleared = replace(entry.state, counted=set(), left_out=set(), running=set())
    return replace(cleared, names=names, prefix="", closing=True, ends=ends)


def _names(entry: Undoable) -> Names:
    """The names of the step's job, the step's own under its id and under their bare names."""
    names = entry.state.names
    own = {} if entry.id is None else {entry.id: entry.own}
    known: JsonObject = {**names.known, **entry.own, "steps": {**record(names.known["steps"]), **own}}
    missing = {path: why for path, why in names.missing.items() if path[:2] != ("steps", entry.id)}
    for name in ("result", "outputs"):
        if name not in entry.own:
            missing[(name,)] = f"the step has no {name}: it is lost, or there was none"
    bare = {path[2:] for path in names.tainted if path[:2] == ("steps", entry.id) and len(path) > 2}  # noqa: PLR2004
    return replace(names, known=known, missing=missing, tainted=names.tainted | bare)
