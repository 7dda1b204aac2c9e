"""Where the ledger of an `apply` is. It belongs to the project of the jobs, not to the current folder: a command that
is given in another folder must find what was applied.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from msgspec import Struct

from runner.cli.options import StoreOfRuns
from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem, UsageError
from runner.ledger.model import USUAL
from runner.project.paths import called, root_of
from runner.reports.safe import clean
from runner.runs.store import USUAL as USUAL_RUNS
from runner.runs.store import LocalRunStore
from runner.targets.files import find_targets, searched_folders


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
    folders = _project_folders(Path(run.job.file) for run in runs)
    if named is not None:
        base = folders[0] if len(folders) == 1 else Path.cwd().resolve()
        return LedgerPlace(file=named, base=base, runs=store)
    if len(folders) > 1:
        raise UsageError(_several(folders))
    (base,) = folders
    if context.get_parameter_source("runs") is ParameterSource.DEFAULT:
        store = StoreOfRuns().convert(called(base / USUAL_RUNS), None, context)
    return LedgerPlace(file=Path(called(base / USUAL)), base=base, runs=store)


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
