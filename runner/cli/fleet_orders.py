"""`resume` and `reconcile` of a run of a fleet: an order, which a worker carries out."""

import getpass
import os

import click
from click.core import ParameterSource

from runner.cli import output
from runner.cli.resume_run import check, given_verdicts
from runner.fleet import orders
from runner.fleet.store import FleetStore
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError
from runner.reports.safe import clean
from runner.reports.words import doubtful, title
from runner.runs.store import Part
from runner.runs.stored_runs import StoredRun, find

_TAKEN = ("run", "runs", "database", "step", "verdict", "even_though", "result", "quiet", "verbose")
"""Parameters that say something to a fleet; what a worker decides is none."""


def order(context: click.Context, *, only_settle: bool) -> ExitCode:
    """Order it, or raise `UsageError` or `RefusedError` where that makes no sense. Exit 0: it is ordered."""
    store: FleetStore = context.params["database"]
    run = find(store, context.params["run"])
    check(run)
    _check_options(context)
    verdicts = {} if only_settle else given_verdicts(context, run.result)
    if run.result.finished and not doubtful(run.result.steps):
        output.say(f"nothing is left to do of {title(run.result)} ({run.id}): nothing was ordered")
        return run.result.exit_code
    if any("result" in verdict for verdict in verdicts.values()):
        _refuse_secret(run, next(iter(verdicts)))
    kind = "reconcile" if only_settle else "resume"
    if not orders.order(store.link, run.id, kind=kind, verdicts=verdicts, by=who()):
        message = f"run {run.id} is under way: a worker has it, or will have it soon"
        raise RefusedError(Problem(code="E156", message=message, hint="nothing was ordered; `runner status` shows it"))
    target = clean(run.result.target.name)
    output.say(f"ordered: a worker of `{target}` does it; `runner show {run.id}` shows what came of it")
    return ExitCode.PASSED


def who() -> str:
    """Who gives an order, as far as this machine knows."""
    try:
        return f"{getpass.getuser()}@{os.uname().nodename}"
    except (OSError, KeyError, AttributeError):
        return "somebody"


def _check_options(context: click.Context) -> None:
    typed = (name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE)
    options = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    wrong = [options.get(name, name) for name in typed if name not in _TAKEN]
    if wrong:
        hint = "leave it out: the worker has secrets and targets; `runner report RUN` with `--db` writes reports"
        message = f"`{wrong[0]}` says nothing to a fleet: with `--db` a worker carries the run on"
        raise UsageError(Problem(code="E150", message=message, hint=hint))


def _refuse_secret(run: StoredRun, key: str) -> None:
    """A result that must not be stored cannot be handed over by a database. Here nobody reads the job: where its texts
    have the word, it may be this step.
    """
    if b"secret" not in run.store.get(run.id, Part.PLAN).replace(b'"fingerprints"', b""):
        return
    message = f"the result of `{clean(key)}` may be secret: a step of this job is marked `secret`"
    hint = "an order is stored in the database; say `--as passed` without a result, or `--as failed`"
    raise UsageError(Problem(code="E158", message=message, hint=hint))
