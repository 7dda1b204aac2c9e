"""Undo: what passed is undone, the last first, when the run fails later; each with what its own step had."""

from msgspec.structs import replace

from runner.engine.effects import Running
from runner.engine.perform import close_by, note
from runner.engine.scope import Names
from runner.engine.state import RunState, State, Undoable
from runner.engine.step import carry_out_steps
from runner.foundation.values import JsonObject, record
from runner.planning.plan import undo_steps
from runner.runs.events import RunStatus, UndoFinished, UndoStarted
from runner.runs.status import Status

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
