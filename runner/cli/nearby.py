"""The run that a command names, in the store that has it: its command may have been given in another folder."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import click
from click.core import ParameterSource
from msgspec.structs import replace

from runner.cli import options
from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.shell_words import shell_word
from runner.ledger.place import is_beside_ledger, run_folders
from runner.reports.safe import clean
from runner.runs.store import LocalRunStore, RunStore
from runner.runs.stored_runs import LAST, StoredRun, find, load, run_name
from runner.terminal import output

_Store = TypeVar("_Store", bound=RunStore)


def named_run(context: click.Context, name: str) -> StoredRun:
    """The run called `name`, as `find` takes it; where no store is named, also a run in a folder near by."""
    own: RunStore = context.params["runs"]
    found = find(_store_of(name, [own, *_others(context)]), name)
    _say_where_it_is(found, own)
    return found


def local_run(context: click.Context) -> tuple[LocalRunStore, StoredRun]:
    """The run that a verb is about which carries runs out here, and the store that has it."""
    name = context.params["run"]
    store = local_store(context, name)
    found = find(store, name)
    _say_where_it_is(found, context.params["runs"])
    return store, found


def local_store(context: click.Context, name: str) -> LocalRunStore:
    """The store on this machine that has the run called `name`."""
    own: LocalRunStore = context.params["runs"]
    return _store_of(name, [own, *_others(context)])


def warn_of_damage(run: StoredRun) -> bool:
    """Whether the events of the run are not as they were written; a warning says so."""
    if run.flaw is not None:
        output.problems(replace(damage(run), severity=Severity.WARNING))
    return run.flaw is not None


def damage(run: StoredRun) -> Problem:
    return Problem(code="E155", message=run.damage, hint=run.left_to_do)


def run_before(context: click.Context, last: StoredRun) -> StoredRun:
    """The newest run of the same job, case and target before this run. Raises `UsageError` where there is none."""
    own: RunStore = context.params["runs"]
    name = run_name(last.store, last.id)
    stores = (own, *_others(context)) if name is not None else ()
    earlier = sorted((run, number) for number, store in enumerate(stores) for run in store.runs() if run < last.id)
    for run, number in reversed(earlier):
        if run_name(stores[number], run) == name:
            found = load(stores[number], run)
            _say_where_it_is(found, own)
            return found
    hint = "name both: `runner diff RUN1 RUN2`; `runner runs` lists them"
    message = f"there is no run of the same job, case and target before {last.id}"
    raise UsageError(Problem(code="E152", message=message, hint=hint))


def _say_where_it_is(run: StoredRun, own: RunStore) -> None:
    if run.store.name != own.name:
        output.say(f"run {clean(run.id)} is in {clean(run.store.name.text)}")


def say_where_others_are(context: click.Context, verb: str) -> None:
    """Name the stores of runs that `verb` has not listed."""
    for store in _others(context):
        if any(store.newest()):
            name = clean(store.name.text)
            output.say(f"more runs are in {name}: `runner {verb} --runs {shell_word(name)}`")


def _store_of(name: str, stores: Sequence[_Store]) -> _Store:
    """The own store, the first, or another that has a newer run; with `last` also the store of `apply`."""
    near = [store for store in stores[1:] if name == LAST and is_beside_ledger(store.name.text)]
    found = [store for store in (stores[0], *near) if _newest(store, name)]
    return max(found or stores, key=lambda store: _newest(store, name))


def _newest(store: RunStore, name: str) -> str:
    return next((run for run in store.newest() if name == LAST or run.startswith(name)), "")


def _others(context: click.Context) -> Iterator[LocalRunStore]:
    if context.get_parameter_source("runs") is ParameterSource.DEFAULT and not context.params.get("database"):
        for folder in run_folders():
            yield options.StoreOfRuns().convert(folder, None, context)
