"""What a run needs next that did not come to its end, or whose outcome is in doubt: what is known of it, and the
commands that settle it.

Nothing here is guessed: where nobody knows whether a call happened, that is what is said.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from runner.reports.safe import clean
from runner.reports.words import doubtful, is_lost
from runner.runs.events import FIRST_PREV
from runner.runs.result import RunResult, StepResult
from runner.runs.store import USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A command as it is to be typed, and what it does."""

    command: str
    does: str


def next_steps(result: RunResult, *, store: str | None, held: bool = False) -> tuple[NextStep, ...]:
    """The commands that settle the run, the likeliest first; none where nothing is open.

    `store` is the name of the run's store. `held`: it was told to wait where a call is in doubt, and a resume
    is to be told so again.
    """
    open_rows = doubtful(result.steps)
    if open_rows:
        asked = [] if all(map(is_lost, open_rows)) else [_reconcile(result, store)]
        again = " --hold" if (held or result.held) and not result.finished else ""
        resumed = [] if result.finished or not asked else [_looked_for(result, store, again)]
        return (*resumed, *asked, _verdict(result, open_rows, store, again))
    if result.finished or not result.job:
        return ()
    return (NextStep(command=_typed("resume", result.id, store), does=_what_resume_does(result)),)


def standing(result: RunResult, *, held: bool = False) -> str:
    """What is known of a run that has not come to its end; empty where it has. `held`: it was told to wait."""
    if result.finished:
        return ""
    if not result.job:
        return _BEFORE if result.events.endswith(FIRST_PREV) else "its first event is lost"
    if doubtful(result.steps):
        return _HELD if held or result.held else "it broke off with a call in doubt"
    if result.closing:
        return "it broke off after its steps: `undo` and `finally` are not done"
    return "it broke off among its steps: `undo` and `finally` are not done"


def _looked_for(result: RunResult, store: str | None, again: str) -> NextStep:
    does = "asks the process log, and goes on where it tells; what is in doubt is not sent again"
    return NextStep(command=_typed("resume", result.id, store) + again, does=does)


def _reconcile(result: RunResult, store: str | None) -> NextStep:
    command = _typed("reconcile", result.id, store)
    return NextStep(command=command, does="asks the process log again, and sends nothing else")


def _verdict(result: RunResult, open_rows: Sequence[StepResult], store: str | None, again: str) -> NextStep:
    """A person's word on the first row in doubt. After the turning point nothing is begun again."""
    first = open_rows[0]
    lost = is_lost(first)
    given = " --result 'JSON'" if lost else ""
    resume = _typed("resume", result.id, store)
    command = f"{resume} --step {shlex.quote(clean(first.key))} --as passed{given}{again}"
    seen = "and know what it gave, as JSON" if lost else "and it passed"
    others = _LOST if lost else "`--as failed` if it failed or never began" if result.closing else _OPEN
    more = "; then so for each row in doubt" if len(open_rows) > 1 else ""
    return NextStep(command=command, does=f"if you have looked {seen}; {others}{more}")


_BEFORE = "it broke off before it began: nothing was sent"
_HELD = "it is held here until its doubt is settled"
_OPEN = "`--as failed` if it failed, `--as retry` if it never began"
_LOST = "`--as failed` lets the run end without it"


def _what_resume_does(result: RunResult) -> str:
    if result.closing:
        return "finishes `undo` and `finally`; its steps are over and are not carried out again"
    return "goes on where it broke off; what was answered is not sent again"


def _typed(verb: str, run: str, store: str | None) -> str:
    """The command; the store of runs is named where it is not the usual one."""
    where = "" if store in (None, USUAL) else f" --runs {shlex.quote(clean(store))}"
    return f"runner {verb} {shlex.quote(clean(run))}{where}"
