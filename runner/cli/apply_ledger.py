"""Where the ledger of an `apply` is. It belongs to the project of the jobs, not to the current folder: a command that
is given in another folder must find what was applied.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource
from msgspec import Struct

from runner.cli.options import StoreOfRuns, fleet_library
from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem, UsageError
from runner.ledger.model import USUAL
from runner.project.paths import called, root_of
from runner.reports.safe import clean
from runner.runs.store import USUAL as USUAL_RUNS
from runner.runs.store import LocalRunStore
from runner.targets.files import find_targets, searched_folders

_HERE: Final = ("ledger", "runs", "jobs", "fail_fast", "hold", "wait_lock", "wait_ready", "grace")
"""Options of whoever carries runs out."""


class LedgerPlace(Struct, frozen=True, kw_only=True):
    """`file` is the ledger, `base` the resolved folder that names of the jobs' folders in it are relative to.
    `runs` are those that it knows of.
    """

    file: Path
    base: Path
    runs: LocalRunStore


def ledger_place(context: click.Context, runs: Sequence[RunSpec]) -> LedgerPlace:
    """The ledger that `--ledger` names, else that of the jobs' project, with the runs beside it.

    Raises `UsageError` where jobs of several projects are given, and no ledger is named.
    """
    named: Path | None = context.params["ledger"]
    store: LocalRunStore = context.params["runs"]
    folders = _project_folders(map(Path, {run.job.file: None for run in runs}))
    if named is not None:
        base = folders[0] if len(folders) == 1 else Path.cwd().resolve()
        return LedgerPlace(file=named, base=base, runs=store)
    if len(folders) > 1:
        raise UsageError(_several(folders))
    (base,) = folders
    if context.get_parameter_source("runs") is ParameterSource.DEFAULT:
        store = StoreOfRuns().convert(called(base / USUAL_RUNS), None, context)
    return LedgerPlace(file=Path(called(base / USUAL)), base=base, runs=store)


def project_of(runs: Sequence[RunSpec]) -> Path:
    """The resolved folder of the jobs' project; of several, the current folder."""
    folders = _project_folders(map(Path, {run.job.file: None for run in runs}))
    return folders[0] if len(folders) == 1 else Path.cwd().resolve()


def fleet_dsn(context: click.Context) -> str | None:
    """The database of the fleet that is to carry the versions out; None where this command does. What is typed counts
    more than a variable.

    Raises `UsageError` where options do not go together, and where the libraries of a fleet are not installed.
    """
    dsn: str | None = context.params["dsn"]
    typed = [name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    here = [name for name in typed if name in _HERE]
    if dsn is None or ("dsn" not in typed and {*here} & {"ledger", "runs"}):
        if "fleet" in typed:
            hint = "name the database with `--db`"
            raise UsageError(Problem(code="E150", message="`--fleet` names a ledger in a database", hint=hint))
        return None
    if here:
        options = {parameter.name: max(parameter.opts, key=len) for parameter in context.command.params}
        message = f"`{options[here[0]]}` says nothing to a fleet: with `--db` its workers carry the runs out"
        raise UsageError(Problem(code="E150", message=message, hint=f"leave out `{options[here[0]]}`, or `--db`"))
    fleet_library()
    return dsn


def _project_folders(jobs: Iterable[Path]) -> list[Path]:
    folders = {job.absolute().parent.resolve(): None for job in jobs}
    return list(dict.fromkeys(map(_project_folder, folders)))


def _project_folder(folder: Path) -> Path:
    """The folder of the nearest `targets.yaml`, whatever `--targets` names; else that of `.git`; else of the nearest
    ledger above the jobs; else the current folder.
    """
    job = folder / "any"
    targets = find_targets(job, explicit=None, environment={})
    if targets is not None:
        return targets.parent
    here = Path.cwd().resolve()
    known = next((above for above in searched_folders(folder) if (above / USUAL).is_file()), here)
    return root_of(job, beside=known)


def _several(folders: Sequence[Path]) -> Problem:
    first, second = (clean(called(folder)) for folder in folders[:2])
    message = f"the jobs belong to several projects, `{first}` and `{second}`, and each project has a ledger of its own"
    hint = "apply the jobs of each project in a command of their own, or name a ledger for all with `--ledger FILE`"
    return Problem(code="E150", message=message, hint=hint)
