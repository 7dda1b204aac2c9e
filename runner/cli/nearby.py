"""The run that a command names, in the store that has it: `apply` stores its runs beside its ledger, whatever the
current folder is.
"""

import shlex
from collections.abc import Iterator

import click
from click.core import ParameterSource

from runner.cli import options
from runner.foundation.problems import Problem, Severity
from runner.ledger.nearby import run_folders
from runner.reports.safe import clean
from runner.runs.store import RunStore
from runner.runs.stored_runs import LAST, StoredRun, find
from runner.terminal import output


def named_run(context: click.Context, name: str) -> StoredRun:
    """The run called `name`, as `find` takes it. Where no store is named, runs of `apply` elsewhere count, too, and
    `last` is the newest of all; a run that is not in the current folder is named with its place.
    """
    own: RunStore = context.params["runs"]
    store = _store_of(name, own, context)
    found = find(store, name)
    if store is not own:
        output.say(f"run {clean(found.id)} is in {clean(store.name)}, beside the ledger of its `runner apply`")
    return found


def warn_of_damage(run: StoredRun) -> bool:
    """Whether the events of the run are not as they were written; a warning says so."""
    if run.flaw is not None:
        output.problems(Problem(code="E155", message=run.damage, severity=Severity.WARNING))
    return run.flaw is not None


def say_where_others_are(context: click.Context, verb: str) -> None:
    """Name the stores of runs that `verb` has not listed."""
    for store in _others(context):
        if store.runs():
            name = clean(store.name)
            output.say(f"runs of `runner apply` are in {name}, too: `runner {verb} --runs {shlex.quote(name)}`")


def _store_of(name: str, own: RunStore, context: click.Context) -> RunStore:
    """The store with the newest run that `name` may stand for; for an id the own store comes first."""
    others = [*_others(context)]
    found, newest = own, _newest(own, name) if others else ""
    if newest and name != LAST:
        return own
    for store in others:
        if (run := _newest(store, name)) > newest:
            found, newest = store, run
    return found


def _newest(store: RunStore, name: str) -> str:
    return max((run for run in store.runs() if name == LAST or run.startswith(name)), default="")


def _others(context: click.Context) -> Iterator[RunStore]:
    if context.get_parameter_source("runs") is ParameterSource.DEFAULT and not context.params.get("database"):
        for folder in run_folders():
            yield options.StoreOfRuns().convert(folder, None, context)
