"""Where a ledger is: with the project of the jobs, so that a command in any folder finds what was applied."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.foundation.problems import Problem, UsageError
from runner.ledger.model import USUAL
from runner.project.paths import root_of
from runner.reading.files import called
from runner.reports.safe import clean
from runner.targets.files import find_targets
from runner.targets.folders import searched_folders


def project_of(jobs: Iterable[Path], *, only: bool = False) -> Path:
    """The resolved folder of the project of `jobs`; of several the current folder, or with `only` a `UsageError`."""
    folders = list(dict.fromkeys(map(_project_folder, {job.absolute().parent.resolve(): None for job in jobs})))
    if only and len(folders) > 1:
        raise UsageError(_several(folders))
    return folders[0] if len(folders) == 1 else Path.cwd().resolve()


def _project_folder(folder: Path) -> Path:
    """The folder of the nearest `targets.yaml`, else of `.git`, else of the nearest ledger above, else the current."""
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
