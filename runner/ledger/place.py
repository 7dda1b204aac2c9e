"""Where a ledger is: with the project of the jobs, so that a command in any folder finds what was applied.

Where runs are beside the current folder: above it, as beside a ledger, and a little below. `last` must see them.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from runner.foundation.problems import Problem, UsageError
from runner.ledger.model import USUAL
from runner.project.paths import root_of
from runner.reading.files import display_path
from runner.reports.safe import clean
from runner.runs import USUAL as USUAL_RUNS
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
    first, second = (clean(display_path(folder)) for folder in folders[:2])
    message = f"the jobs belong to several projects, `{first}` and `{second}`, and each project has a ledger of its own"
    hint = "apply the jobs of each project in a command of their own, or name a ledger for all with `--ledger FILE`"
    return Problem(code="E150", message=message, hint=hint)


_DEEPEST: Final = 2  # levels of folders below the current folder that are searched


def run_folders() -> list[str]:
    """Other folders of runs; none of somebody else, who could choose what is resumed."""
    folders = [*searched_folders(Path.cwd())[1:], *_below(Path.cwd(), levels=_DEEPEST)]
    return [display_path(folder / USUAL_RUNS) for folder in dict.fromkeys(folders) if _is_ours(folder / USUAL_RUNS)]


def is_beside_ledger(runs: str) -> bool:
    """Whether `apply` stores its runs in this folder, from wherever it is given."""
    return (Path(runs).parent / Path(USUAL).name).exists()


def ledgers_above(folder: Path) -> Iterator[Path]:
    """The ledgers of this user above a resolved folder, the nearest first, also above that of `.git`."""
    return (above / USUAL for above in folder.parents if _is_ours(above / USUAL))


def _below(folder: Path, *, levels: int) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield Path(entry)
                if levels > 1:
                    yield from _below(Path(entry), levels=levels - 1)


def _is_ours(path: Path) -> bool:
    try:
        owner = path.stat().st_uid
    except OSError:
        return False
    return not hasattr(os, "getuid") or owner == os.getuid()
