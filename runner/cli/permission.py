"""Whether a command may begin at all: its targets' guards, and a person's yes where a target wants one.

Every refusal is told at once, and nothing has been sent. `--yes` answers the questions of jobs; it does not confirm a
target: who says yes to a job may not know where it is pointed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from runner.cli import asking, guards
from runner.cli.prepared import RunSpec
from runner.foundation.problems import RefusedError
from runner.targets.model import SiteTarget, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What was said on the command line: `yes` to every question of a job, and the targets that are `confirmed`.

    `ask` puts a question to a person; None where there is none.
    """

    yes: bool = False
    confirmed: frozenset[str] = frozenset()
    ask: Callable[[str], bool] | None = None


def given(context: click.Context) -> Permission:
    """What the options of a command permit, and whether somebody can be asked."""
    return Permission(
        yes=context.params["yes"],
        confirmed=frozenset(context.params["confirm"]),
        ask=asking.says_yes if asking.is_there() else None,
    )


def check(runs: Sequence[RunSpec], permission: Permission, *, over: bool = False) -> None:
    """Let the runs begin, or raise `RefusedError`. A person is asked once for each target.

    `over`: no step of them is to be carried out any more, so that no question of theirs is to be answered.
    """
    refused = list(guards.not_allowed((run.job, run.target) for run in runs))
    if not (over or permission.yes) and permission.ask is None:
        refused += guards.unanswerable(run.job for run in runs)
    open_targets = guards.unconfirmed((run.target for run in runs), confirmed=permission.confirmed)
    if permission.ask is None:
        refused += map(guards.protected, open_targets)
    if refused:
        raise RefusedError(*refused)
    for target in open_targets:
        if permission.ask is not None and not permission.ask(_question(target, runs)):
            raise RefusedError(guards.protected(target))


def _question(target: Target, runs: Sequence[RunSpec]) -> str:
    names = [run.job.name + (f"[{run.case.name}]" if run.case else "") for run in runs if run.target == target]
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    where = f" ({target.url})" if isinstance(target, SiteTarget) else ""
    return f"target `{target.name}`{where} is protected. Carry out {listed}?"


_NAMED = 5
"""Runs that a question names; more would hide the question."""
