"""What expressions and templates of a job can see, place by place: which steps have ended, which names are known."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from runner.job.outline import RawStep

CONDITIONS = frozenset({"success", "failure", "always"})
OF_AN_ATTEMPT = frozenset({"result", "process_status", "process_id", "seconds"})
OF_A_TURN = frozenset({"item", "index"})
NEVER = -1
_LAST = 1_000_000_000
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is known at one place.

    Steps of a lower `rank` have ended by then. `bare` are the names of a step that stand alone, `vars` those that are
    worked out, None where all are. `step` is the step whose part the place is, `undone` the one that it undoes.
    `own_result` is the step whose result is called `result` here.
    """

    rank: int
    bare: frozenset[str] = _NONE
    functions: frozenset[str] = _NONE
    vars: AbstractSet[str] | None = None
    step: RawStep | None = None
    undone: RawStep | None = None
    own_result: RawStep | None = None


def before_the_steps(worked_out: AbstractSet[str]) -> Scope:
    """Where `vars` are worked out, those of `worked_out` being known; it may grow."""
    return Scope(rank=NEVER, vars=worked_out)


def after_all_steps() -> Scope:
    return Scope(rank=_LAST)


def condition(step: RawStep, undone: RawStep) -> Scope:
    """An `if`. `undone` is the step that `step` undoes, or `step` itself."""
    return replace(turns(step, undone), functions=CONDITIONS)


def turns(step: RawStep, undone: RawStep) -> Scope:
    """The list behind a `for_each`, before its first turn."""
    if step.undo is None:
        return Scope(rank=step.rank, step=step)
    bare = OF_AN_ATTEMPT | {"outputs"} | _of_turns(undone)
    return Scope(rank=step.rank + 1, bare=bare, step=step, undone=undone, own_result=undone)


def values(step: RawStep, undone: RawStep) -> Scope:
    """What a step sends."""
    before, own = turns(step, undone), _of_turns(step)
    return replace(before, bare=before.bare | own) if own else before


def outcome(step: RawStep, undone: RawStep) -> Scope:
    """A step's own `expect` and `outputs`."""
    before = values(step, undone)
    return replace(before, bare=before.bare | OF_AN_ATTEMPT, own_result=step)


def _of_turns(step: RawStep) -> frozenset[str]:
    return OF_A_TURN if "for_each" in step.fields else _NONE
