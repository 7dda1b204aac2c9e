"""The verbs that look after a fleet: `status`, `pull`, `stop`, and `fleet` for its tables and old runs."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click
from msgspec.structs import asdict

from runner.cli import options
from runner.cli.verb import Verb, VerbGroup
from runner.execution.stored_reports import store_reports
from runner.fleet import database, orders
from runner.fleet.overview import (
    ALIVE,
    SILENT,
    FleetRun,
    Overview,
    SuspendedTarget,
    UnservedRuns,
    overview,
    runs_named,
    suspended_targets,
)
from runner.fleet.store import FleetStore
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError, strongest
from runner.foundation.sentences import listed, plural
from runner.foundation.values import JsonObject
from runner.project.ci_run import person_elsewhere
from runner.reports.next_steps import verb_command
from runner.reports.reported import ReportedRun
from runner.reports.safe import clean, json_document
from runner.reports.words import person_name
from runner.runs import USUAL, StoreName
from runner.runs.run_filter import age
from runner.runs.store import LocalRunStore, Part
from runner.runs.stored_runs import find, writing
from runner.terminal import output


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
    if orders.cancel(store.link, run.id, by=person_name(person)):
        output.say(f"run {run.id} is cancelled: nothing was sent")
    elif orders.stop(store.link, run.id, by=person):
        output.say(f"run {run.id} is to stop; `{verb_command('status', run.id, store.name)}` shows how far it is")
        if run.state != "running":
            output.say("no worker has it now: it stops when a worker opens it; none of its steps begins before that")
            for suspended in suspended_targets(store.link, targets=[run.target]):
                output.say(suspended_line(suspended))
    else:
        message = f"nothing was stopped: run {run.id} is not under way: it is `{run.status or run.state}`"
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
    output.say(f"{plural(deleted, 'run')} deleted")
    return ExitCode.PASSED


_WORDS = "waiting queued running parked held refused cancelled passed failed error unknown"


@click.command("status", cls=Verb)
@click.argument("run", metavar="[RUN]", required=False, type=options.Filled())
@options.targets("Only runs against this target.")
@options.option("-n", "--limit", metavar="N", default=20, show_default=True, help="List N runs at most.")
@options.option(
    "--check", is_flag=True, help="Exit with the strongest code of the runs that are listed, or that nobody takes."
)
@options.THE_DB
@options.form()
def status(context: click.Context) -> int:
    r"""Show how many runs of a fleet are queued, are running and have ended, by target; its workers; then the runs that
    are under way, and those that need a person. Of RUN, a run's id or a unique prefix of it, only that.

    \b
    Examples:
      runner status
      runner status -t staging --check
      runner status 0194d2a0

    Exit 0; with --check the strongest code of the runs that are listed: 3 for a run that has not ended, 4 where it is
    held in doubt. It is also 3 where no worker takes the runs in the queue: nobody serves their target, or its site
    lets no worker in; 5 where a target that is named has no runs.
    """
    store: FleetStore = context.params["database"]
    if context.params["run"] is not None:
        runs: Sequence[FleetRun] = [run_named(store, context.params["run"])]
        lines, found = "".join(_lines(runs, store.name)), None
    else:
        found = overview(store.link, targets=context.params["target"], limit=context.params["limit"])
        runs = found.runs
        lines = _text(found, store.name)
    if context.params["form"] == "json":
        output.data(json_document(_document(found, runs)), for_programs=True)
    else:
        output.data(lines)
    if context.params["check"] and found is not None:
        without = [clean(name) for name in context.params["target"] if name not in found.counts]
        if without:
            message = f"the fleet has no run against {listed(without)}"
            output.problems(Problem(code="E180", message=message, hint="`runner status` lists the targets of its runs"))
            return ExitCode.NOTHING_SELECTED
    codes = [_code(run) for run in runs] + [ExitCode.NO_ANSWER] * bool(found is not None and found.unserved)
    return strongest(codes) if context.params["check"] and codes else ExitCode.PASSED


def state_of(store: FleetStore, run: str) -> str:
    return "".join(_lines([run_named(store, run)], store.name))


def run_named(store: FleetStore, name: str) -> FleetRun:
    """The only run whose id begins with `name`. Raises `UsageError`."""
    found = runs_named(store.link, name)
    if len(found) != 1:
        message = f"several runs begin with `{clean(name)}`" if found else f"no run begins with `{clean(name)}`"
        raise UsageError(Problem(code="E152", message=message, hint="`runner status` lists what is open"))
    return found[0]


def _text(found: Overview, store: StoreName) -> str:
    known = [word for word in _WORDS.split() if any(word in counts for counts in found.counts.values())]
    words = [*dict.fromkeys(("queued", "running", *known))]
    width = max((len(clean(target)) for target in found.counts), default=0)
    lines = [f"{'TARGET':<{max(width, 6)}}" + "".join(f" {word:>9}" for word in words)]
    for target, counts in found.counts.items():
        lines.append(f"{clean(target):<{max(width, 6)}}" + "".join(f" {counts.get(word, 0):>9,}" for word in words))
    alive = [worker for worker in found.workers if worker.silent < ALIVE]
    silent = [f"{clean(worker.name)} silent for {worker.silent:.0f} s" for worker in alive if worker.silent > SILENT]
    lines.append(", ".join([f"{plural(len(alive), 'worker')} alive", *silent]))
    lines += map(suspended_line, found.suspended)
    lines += map(unserved_line, found.unserved)
    return "".join(f"{line}\n" for line in lines) + "".join(_lines(found.runs, store))


def suspended_line(suspended: SuspendedTarget) -> str:
    """Why workers take no runs of a target: a wrong password, or a site that is down."""
    since = datetime.fromtimestamp(suspended.since, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    who = clean(suspended.workers[0]) if len(suspended.workers) == 1 else f"{len(suspended.workers)} workers"
    target, reason = clean(suspended.target), clean(suspended.reason)
    if not suspended.waits:
        return f"  `{target}` let {who} not in, the first time at {since}: {reason}; the next run tries it again"
    return f"! `{target}` is suspended by {who} since {since}: {reason}"


def unserved_line(runs: UnservedRuns) -> str:
    """A target may have workers, but of a version that cannot resume its runs, or which its site lets not in."""
    count, target = plural(runs.count, "run"), clean(runs.target)
    if runs.is_suspended:
        return f"! {count} in the queue: each worker of `{target}` has suspended it, and tries again later"
    line = f"! {count} in the queue: nobody serves `{target}`"
    if runs.replay is None:
        return line
    if not runs.has_workers:
        has_begun = "has begun and has" if runs.count == 1 else "have begun and have"
        return f"! {count} {has_begun} not ended: no worker of `{target}` is alive; start a worker, it takes over"
    version = f" ({', '.join(map(clean, runs.engines))})" if runs.engines else ""
    return f"{line} with replay version {runs.replay}; start a worker of the version that began them{version}"


def _lines(runs: Sequence[FleetRun], store: StoreName) -> Iterator[str]:
    for run in runs:
        word = run.status if run.state == "ended" and run.status else run.state
        mark = "?" if run.in_doubt else {"running": ">", "passed": " "}.get(word, "!")
        what = f"  {clean(run.note)}" if run.note else ""
        if run.in_doubt:
            what = f"  {run.in_doubt} in doubt: runner show {run.id} --db {clean(store.text)}"
        elif run.needs_version is not None:
            mark, what = "!", f"  waits for a worker of version {clean(run.needs_version)}, which began it"
        elif run.state == "running":
            last = f"{plural(run.events, 'event')}, the last {run.seconds_since_last:.0f} s ago"
            what = f"  on {clean(run.worker or '')}, {last}"
        yield f"{mark} {clean(run.title)}  {run.id}  {word}{what}\n"


def _document(found: Overview | None, runs: Sequence[FleetRun]) -> JsonObject:
    whole: JsonObject = {"format": 1}
    if found is not None:
        whole["targets"] = {target: {**counts} for target, counts in found.counts.items()}
        whole["workers"] = [
            {"name": worker.name, "targets": [*worker.targets], "jobs": worker.jobs, "silent": round(worker.silent, 1)}
            for worker in found.workers
        ]
        counts = Counter[str]()
        for unserved in found.unserved:
            counts[unserved.target] += unserved.count
        whole["unserved"] = {**counts}
        whole["unserved_runs"] = [asdict(each) for each in found.unserved]
        whole["suspended"] = [asdict(each) for each in found.suspended]
    whole["runs"] = [{**asdict(run), "seconds_since_last": round(run.seconds_since_last, 1)} for run in runs]
    return whole


def _code(run: FleetRun) -> ExitCode:
    if run.state == "refused":
        return ExitCode.REFUSED
    if run.state == "held" and run.in_doubt:
        return ExitCode.UNKNOWN
    if run.state != "ended" or run.exit_code is None:
        return ExitCode.NO_ANSWER
    return ExitCode(run.exit_code)
