"""The verbs that look after a fleet: `pull`, `stop`, and `fleet` for its tables and old runs."""

import os
from collections import defaultdict

import click

from runner.cli import options
from runner.cli.status import run_named, suspended_line
from runner.cli.verb import Verb, VerbGroup
from runner.execution.stored_reports import store_reports
from runner.fleet import database, orders
from runner.fleet.overview import suspended_targets
from runner.fleet.store import FleetStore
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError
from runner.foundation.sentences import many
from runner.project.ci_run import person_elsewhere
from runner.reports.next_steps import verb_command
from runner.reports.reported import ReportedRun
from runner.reports.words import called
from runner.runs import USUAL
from runner.runs.run_filter import age
from runner.runs.store import LocalRunStore, Part
from runner.runs.stored_runs import find, writing
from runner.terminal import output

_WHY_NOT_STOPPED = defaultdict(
    lambda: "it has ended already",
    passed="it has passed already",
    failed="it has failed already",
    error="it has ended in an error already",
    unknown="it has ended already, and its outcome is unknown",
    cancelled="it was cancelled",
    refused="it was refused",
    held="it is held, and waits for a person",
)


@click.command("pull", cls=Verb)
@options.RUN
@options.THE_DB
@options.option(
    "--runs",
    metavar="DIR",
    type=options.StoreOfRuns(),
    default=USUAL,
    show_default=True,
    help="The folder into which the run is copied.",
)
def pull(context: click.Context) -> int:
    r"""Copy RUN, which has ended, from the database of a fleet into the folder of runs: `last`, a run's id, or a unique
    prefix of it. The files are those of a run that was carried out here, byte for byte.

    \b
    Example:
      runner pull 0194d2a0 && runner report 0194d2a0 --open

    Exit 0, 2 where there is no such run, or it has not ended: `runner show RUN --db URL` shows how far it is.
    """
    fleet_store: FleetStore = context.params["database"]
    run = find(fleet_store, context.params["run"])
    local: LocalRunStore = context.params["runs"]
    if run.is_running or not run.result.finished:
        hint = f"copy it when it has ended; `{verb_command('show', run.id, fleet_store.name)}` shows how far it is"
        raise UsageError(Problem(code="E156", message=f"run {run.id} has not ended", hint=hint))
    with writing(local):
        local.prepare()
        _copy(fleet_store, local, run.id)
    output.problems(*store_reports(local, ReportedRun(result=run.result, lines=run.lines)))
    output.say(f"run {run.id} is in {local.place(run.id)}")
    return ExitCode.PASSED


def _copy(fleet: FleetStore, local: LocalRunStore, run: str) -> None:
    """Copy what is not there yet. Raises `UsageError` where the folder has another run of this id."""
    whole, here = fleet.get(run, Part.EVENTS), b""
    if run in local.runs():
        log, here = local.reopen(run), local.get(run, Part.EVENTS)
    else:
        log = local.create(run)
    try:
        if not whole.startswith(here):
            message = f"{local.place(run, Part.EVENTS)} is not the run that the fleet has"
            raise UsageError(
                Problem(code="E155", message=message, hint="move it away, or choose a folder with `--runs`")
            )
        local.put(run, Part.PLAN, fleet.get(run, Part.PLAN).decode())
        for name, content in fleet.results(run):
            log.put_result(name, content)
        for line in whole[len(here) :].splitlines():
            log.append(line, durable=False)
    finally:
        log.close()


@click.command("stop", cls=Verb)
@options.RUN
@options.THE_DB
def stop(context: click.Context) -> int:
    r"""Stop RUN of a fleet, a run's id or a unique prefix of it. A run that has not begun is cancelled. A run that
    is under way begins no further step; then `undo` and `finally` are carried out, within the grace of its worker.

    \b
    Example:
      runner stop 0194d2a0

    Exit 0, 2 where there is no such run, 6 where it has ended already.
    """
    store: FleetStore = context.params["database"]
    run = run_named(store, context.params["run"])
    person = person_elsewhere(os.environ)
    if orders.cancel(store.link, run.id, by=called(person)):
        output.say(f"run {run.id} is cancelled: nothing was sent")
    elif orders.stop(store.link, run.id, by=person):
        output.say(f"run {run.id} is to stop; `{verb_command('status', run.id, store.name)}` shows how far it is")
        if run.state != "running":
            output.say("no worker has it now: it stops when a worker opens it; none of its steps begins before that")
            for suspended in suspended_targets(store.link, targets=[run.target]):
                output.say(suspended_line(suspended))
    else:
        message = f"nothing was stopped: run {run.id} is not under way: {_WHY_NOT_STOPPED[run.status or run.state]}"
        hint = f"see what became of it: `{verb_command('status', run.id, store.name)}`"
        raise RefusedError(Problem(code="E156", message=message, hint=hint))
    return ExitCode.PASSED


@click.group("fleet", cls=VerbGroup)
def fleet() -> None:
    r"""Look after the database of a fleet.

    \b
    Examples:
      runner fleet migrate
      runner fleet prune 30d
    """


@fleet.command("migrate", cls=Verb, short_help="Make the tables, or bring them up to date.")
@options.DSN
def migrate(context: click.Context) -> int:
    r"""Make the tables of a fleet in the schema `runner` of a database, or bring them up to date, in one transaction.
    Where they are so already, nothing is done; of two commands at once the later waits.

    \b
    Example:
      runner fleet migrate --db postgresql://runner@db/fleet

    Exit 0, 2 where the tables are newer than this program.
    """
    options.check_fleet_library()
    changed = database.migrate(context.params["dsn"])
    output.say("the tables are up to date" if changed else "the tables were up to date: nothing was changed")
    return ExitCode.PASSED


@fleet.command("prune", cls=Verb, short_help="Delete old runs.")
@click.argument("older", metavar="AGE", type=options.Filled())
@options.THE_DB
def prune(context: click.Context) -> int:
    r"""Delete the runs of a fleet that ended longer than AGE ago: `30d`, `12h`. The ledger still knows what was
    applied, and the history how it went. A run whose outcome is unknown is never deleted: somebody still has to settle
    it.

    \b
    Example:
      runner fleet prune 30d

    Exit 0.
    """
    store: FleetStore = context.params["database"]
    deleted = store.prune(age(context.params["older"], option="AGE"))
    output.say(f"{many(deleted, 'run')} deleted")
    return ExitCode.PASSED
