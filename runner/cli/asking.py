"""A person at the terminal: whether there is one, whether they say yes, and whether a command may begin at all.

Every refusal is reported at once, and nothing has been sent. `--yes` answers the questions of jobs; it does not confirm
a target: who says yes to a job may not know where its calls go. Questions go to stderr, like all messages.
"""

import select
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from runner.cli import output
from runner.cli.prepared import RunSpec, run_name
from runner.engine.effects import Ask
from runner.foundation.problems import RefusedError
from runner.hosts.stop import Stop
from runner.planning import guards
from runner.reports.safe import clean
from runner.reports.words import labelled
from runner.targets.model import SiteTarget, Target

_LOOK = 0.2
"""Seconds between two looks at the stop, while nobody answers."""
_MOST_NAMES = 5
"""Runs that a question names; more would hide the question."""


def is_there() -> bool:
    """Whether somebody can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and output.is_terminal("stderr")


def says_yes(question: str, *, explained: str | None = None) -> bool:
    """Ask, until the answer is one. No answer at all, the end of the input, is a no.

    `question` is made safe to print here; nothing in it may stand first in its line. `explained` is shown to whoever
    answers with `?`, or with something that is no answer.
    """
    while True:
        _put(question)
        answer = _parsed(_line(), explained)
        if answer is not None:
            return answer


def answer_of(ask: Ask, stop: Stop, seconds: float | None) -> bool | None:
    """A person's answer to a question of a run; None where a stop came, or `seconds` passed, before an answer.

    Windows cannot look at its terminal without reading from it, so there the question stays until it is answered.
    """
    if sys.platform == "win32":
        return says_yes(ask.text, explained=ask.help)
    ends = None if seconds is None else time.monotonic() + seconds
    _put(ask.text)
    while stop.why is None and (ends is None or time.monotonic() < ends):
        if _has_come():
            answer = _parsed(_line(), ask.help)
            if answer is not None:
                return answer
            _put(ask.text)
    output.say_lines("\n")
    return None


def _put(question: str) -> None:
    output.say_lines(f"? {clean(question)} [y/N] ")


def _parsed(answer: str, explained: str | None) -> bool | None:
    """None of what is no answer, after it was explained which there are."""
    match answer.strip().casefold():
        case "y" | "yes":
            return True
        case "n" | "no" | "":
            if not answer:
                output.say_lines("\n")
            return False
    lines = labelled("help", explained) if explained else []
    output.say_lines("".join(f"  {line}\n" for line in (*lines, "`y` is a yes; `n`, or nothing, is a no")))
    return None


def _has_come() -> bool:
    """Whether there is something to read, after at most `_LOOK`."""
    return bool(select.select([sys.stdin], [], [], _LOOK)[0])


def _line() -> str:
    """What somebody typed; nothing where the terminal has gone, or it is no text.

    It is not waited for in the reading itself: a signal that comes just before that would be seen after it only.
    """
    try:
        while sys.platform != "win32" and not _has_come():
            pass
        return sys.stdin.readline()
    except (OSError, UnicodeDecodeError):
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the command line permits: `yes` to every question of a job, and the targets that are `confirmed`.

    `ask` puts a question to a person; None where there is none.
    """

    yes: bool = False
    confirmed: frozenset[str] = frozenset()
    ask: Callable[[str], bool] | None = None


def permission(context: click.Context) -> Permission:
    """What the options of a command permit, and whether somebody can be asked."""
    return Permission(
        yes=context.params["yes"],
        confirmed=frozenset(context.params["confirm"]),
        ask=says_yes if is_there() else None,
    )


def check_permission(runs: Sequence[RunSpec], given: Permission, *, over: bool = False) -> None:
    """Let the runs begin, or raise `RefusedError`. A person is asked once for each target.

    `over`: no step of them is to be carried out any more, so no question of theirs is to be answered.
    """
    refused = list(guards.not_allowed((run.job, run.target) for run in runs))
    if not (over or given.yes) and given.ask is None:
        refused += guards.unanswerable(run.job for run in runs)
    targets = guards.unconfirmed((run.target for run in runs), confirmed=given.confirmed)
    if given.ask is None:
        refused += map(guards.protected, targets)
    if refused:
        raise RefusedError(*refused)
    for target in targets:
        if given.ask is not None and not given.ask(_question(target, runs)):
            raise RefusedError(guards.protected(target))


def _question(target: Target, runs: Sequence[RunSpec]) -> str:
    names = [run_name(run.job, run.case) for run in runs if run.target == target]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    where = f" ({target.url})" if isinstance(target, SiteTarget) else ""
    return f"target `{target.name}`{where} is protected. Carry out {', '.join(names[:_MOST_NAMES])}{more}?"
